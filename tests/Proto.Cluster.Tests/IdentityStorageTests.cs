using Proto.Cluster.Identity;
using Proto.Cluster.Testing;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class IdentityStorageTests
{
    [Fact]
    public async Task Every_member_and_a_client_reach_the_same_activation()
    {
        await using var fixture = new ClusterFixture();
        var storage = new InMemoryIdentityStorage();
        Cluster[] all = [await StartAsync(fixture, storage), await StartAsync(fixture, storage), await fixture.StartClientAsync(new IdentityStorageLookup(storage))];
        for (var i = 0; i < 10; i++)
        {
            // All at once: one of them gets the lock.
            var totals = await Task.WhenAll(all.Select(cluster => AddAsync(cluster, $"{i}")));
            Assert.Equal([1, 2, 3], totals.Select(total => total.Amount).Order());
            Assert.Single(totals.Select(total => total.Host).Distinct(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task An_activation_that_ended_is_replaced_and_its_record_goes()
    {
        await using var fixture = new ClusterFixture();
        var storage = new InMemoryIdentityStorage();
        var member = await StartAsync(fixture, storage);
        await AddAsync(member, "x");
        var first = await member.GetAsync("x", CounterActor.Kind, ClusterFixture.Soon());
        await member.System.Root.StopAsync(first!);

        Assert.Equal(1, (await AddAsync(member, "x")).Amount);
        Assert.NotEqual(first, (await storage.TryGetExistingActivation(Identity("x"), CancellationToken.None))!.Pid);
    }

    [Fact]
    public async Task Records_of_a_member_that_died_are_removed_and_its_actors_found_elsewhere()
    {
        await using var fixture = new ClusterFixture();
        var storage = new InMemoryIdentityStorage();
        var one = await StartAsync(fixture, storage);
        var two = await StartAsync(fixture, storage);
        for (var i = 0; i < 10; i++) await AddAsync(one, $"{i}");

        await fixture.KillAsync(two);
        fixture.Agent.DeregisterService(two.System.Id);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(one.System.Address, (await AddAsync(one, $"{i}")).Host);
            Assert.Equal(one.System.Id, (await storage.TryGetExistingActivation(Identity($"{i}"), CancellationToken.None))!.MemberId);
        }
    }

    [Fact]
    public async Task A_member_that_leaves_leaves_no_records()
    {
        await using var fixture = new ClusterFixture();
        var storage = new InMemoryIdentityStorage();
        var member = await StartAsync(fixture, storage);
        await AddAsync(member, "x");
        await member.ShutdownAsync();

        Assert.Null(await storage.TryGetExistingActivation(Identity("x"), CancellationToken.None));
        Assert.Equal(0, member.GetClusterKind(CounterActor.Kind).Count);
    }

    [Fact]
    public async Task A_record_that_points_to_nobody_is_replaced()
    {
        await using var fixture = new ClusterFixture();
        var storage = new InMemoryIdentityStorage();
        var member = await StartAsync(fixture, storage);
        var spawnLock = await storage.TryAcquireLock(Identity("x"), CancellationToken.None);
        await storage.StoreActivation(member.System.Id, spawnLock!, new PID(member.System.Address, "nobody"), CancellationToken.None);

        Assert.Equal(1, (await AddAsync(member, "x")).Amount);
    }

    [Fact]
    public async Task An_activation_that_lost_its_lock_ends_and_is_never_given_out()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        activations.LetStop();
        var storage = new StorageWithFailures(new InMemoryIdentityStorage(), new LockNotFoundException("taken by another"));
        var member = await fixture.StartMemberAsync(
            config => config.WithClusterKind(RunningActivations.Kind, activations.Props), new IdentityStorageLookup(storage));

        await member.RequestAsync<Total>("x", RunningActivations.Kind, new Add(), ClusterFixture.Soon());

        Assert.Equal(2, activations.Starts);
        Assert.Equal(0, activations.Overlaps);
    }

    [Fact]
    public async Task A_storage_that_failed_is_asked_again_for_the_same_lock()
    {
        await using var fixture = new ClusterFixture();
        var storage = new StorageWithFailures(new InMemoryIdentityStorage(), new StorageFailureException("no connection"));
        var member = await StartAsync(fixture, storage);

        Assert.Equal(1, (await AddAsync(member, "x")).Amount);
        Assert.Equal(1, storage.Locks);
    }

    [Fact]
    public async Task A_lock_is_one_owners_until_its_time_is_over()
    {
        var time = new ManualTime();
        var storage = new InMemoryIdentityStorage(time, TimeSpan.FromSeconds(30));
        var first = await storage.TryAcquireLock(Identity("x"), CancellationToken.None);
        Assert.NotNull(first);
        Assert.Null(await storage.TryAcquireLock(Identity("x"), CancellationToken.None));
        time.Pass(TimeSpan.FromSeconds(30));
        Assert.NotNull(await storage.TryAcquireLock(Identity("x"), CancellationToken.None));
        await Assert.ThrowsAsync<LockNotFoundException>(() => storage.StoreActivation("m", first, new PID("a:1", "x"), CancellationToken.None));
    }

    static ClusterIdentity Identity(string identity) => ClusterIdentity.Create(identity, CounterActor.Kind);

    static Task<Cluster> StartAsync(ClusterFixture fixture, IIdentityStorage storage) => fixture.StartMemberAsync(lookup: new IdentityStorageLookup(storage));

    static Task<Total> AddAsync(Cluster from, string identity) =>
        from.RequestAsync<Total>(identity, CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());

    /// <summary>The first activation is not stored.</summary>
    sealed class StorageWithFailures(IIdentityStorage inner, Exception failure) : IIdentityStorage
    {
        int _stores;
        int _locks;

        public int Locks => _locks;

        public Task StoreActivation(string memberId, SpawnLock spawnLock, PID pid, CancellationToken ct) => Interlocked.Increment(ref _stores) == 1
            ? Task.FromException(failure)
            : inner.StoreActivation(memberId, spawnLock, pid, ct);

        public async Task<SpawnLock?> TryAcquireLock(ClusterIdentity clusterIdentity, CancellationToken ct)
        {
            var taken = await inner.TryAcquireLock(clusterIdentity, ct);
            if (taken is not null) Interlocked.Increment(ref _locks);
            return taken;
        }

        public Task<StoredActivation?> TryGetExistingActivation(ClusterIdentity clusterIdentity, CancellationToken ct) => inner.TryGetExistingActivation(clusterIdentity, ct);

        public Task<StoredActivation?> WaitForActivation(ClusterIdentity clusterIdentity, CancellationToken ct) => inner.WaitForActivation(clusterIdentity, ct);

        public Task RemoveLock(SpawnLock spawnLock, CancellationToken ct) => inner.RemoveLock(spawnLock, ct);

        public Task RemoveActivation(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct) => inner.RemoveActivation(clusterIdentity, pid, ct);

        public Task RemoveMember(string memberId, CancellationToken ct) => inner.RemoveMember(memberId, ct);

        public Task Init() => inner.Init();

        public void Dispose() => inner.Dispose();
    }
}
