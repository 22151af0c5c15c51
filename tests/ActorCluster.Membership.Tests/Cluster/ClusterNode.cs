using System.Threading.Channels;
using ActorCluster.Membership.Actors;
using ActorCluster.Membership.Storage;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Proto;
using Proto.Cluster;
using Proto.Cluster.PartitionActivator;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace ActorCluster.Membership.Tests;

/// <summary>One process of a node: real store, real log, real remoting on loopback. A restart is a new one over the same directory.</summary>
sealed class ClusterNode : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly NodeIdentityStore _store;
    readonly NodeStorage _storage;
    readonly LogWriter _writer;
    readonly RaftHost _raft;
    readonly Channel<MembershipEvent> _events = Channel.CreateUnbounded<MembershipEvent>();
    bool _down;

    ClusterNode(ActorSystem system, NodeIdentityStore store, NodeStorage storage, MembershipOptions options, IEnumerable<ICoordinatorPart> parts)
    {
        System = system;
        _store = store;
        _storage = storage;
        var random = new Xoshiro256(store.Uid.Value ^ store.Incarnation);
        _writer = new LogWriter(storage.Log);
        NodeDirectory directory = new();
        _raft = new RaftHost(system, store.Uid, _writer, storage.Snapshots, directory, new RaftOptions(), TimeProvider.System, random.Split(1), NullLoggerFactory.Instance);
        Membership = new MembershipService(system, store, options, CoordinatorGroup.On(_raft, storage.Groups), parts, TimeProvider.System, random.Split(2), NullLoggerFactory.Instance, directory);
        system.EventStream.Subscribe<MembershipEvent>(e => _events.Writer.TryWrite(e));
        Cluster = system.WithCluster(ClusterConfig.Setup("test", new ActorClusterProvider(Membership, TimeProvider.System, NullLoggerFactory.Instance), new PartitionActivatorLookup(TimeSpan.FromSeconds(10)))).Cluster();
    }

    public ActorSystem System { get; }
    public Proto.Cluster.Cluster Cluster { get; }
    public MembershipService Membership { get; }
    public string Address => System.Address;
    public string Name => Membership.Options.Name;

    /// <summary>Begins; does not wait for a cluster.</summary>
    public static async Task<ClusterNode> StartAsync(string name, string directory, int port, IReadOnlyList<string> seeds, int expect, MembershipOptions? options = null)
    {
        var uids = new Xoshiro256((ulong)global::System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue));
        var store = NodeIdentityStore.Open(OsFileSystem.Instance, directory, uids);
        var storage = NodeStorage.Open(OsFileSystem.Instance, directory);
        var system = new ActorSystem().WithRemote(GrpcNetRemoteConfig.BindToLocalhost(port).WithProtoMessages(RaftReflection.Descriptor));
        await system.Remote().StartAsync();
        var node = new ClusterNode(system, store, storage, (options ?? new MembershipOptions { Name = name }) with { Name = name, Seeds = seeds, Expect = expect }, []);
        node.Started = node.Cluster.StartMemberAsync();
        return node;
    }

    /// <summary>Completes when the node is in Proto.Cluster's topology.</summary>
    public Task Started { get; private set; } = Task.CompletedTask;

    /// <summary>Waits for an event. Those before it are passed over.</summary>
    public async Task<T> EventAsync<T>(Func<T, bool> which) where T : MembershipEvent
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (true)
                if (await _events.Reader.ReadAsync(patience.Token) is T wanted && which(wanted)) return wanted;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Name} saw no such {typeof(T).Name}; its table: {Describe()}");
        }
    }

    public Task<MemberStateChanged> StateAsync(NodeUid uid, MemberState state) => EventAsync<MemberStateChanged>(e => e.Uid == uid && e.Current == state);

    public async Task UpAsync()
    {
        try
        {
            await Membership.Joined.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{Name} is not Up; its table: {Describe()}; forming: {string.Join(", ", Membership.Forming.Missing.Concat(Membership.Forming.Problems))} {Membership.Forming.Phase}; coordinator: {Membership.Coordinator?.Status}");
        }
    }

    /// <summary>Waits until the table is as wanted.</summary>
    public async Task TableAsync(Func<MembershipSnapshot, bool> wanted)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(MembershipSnapshot s)
        {
            if (wanted(s)) done.TrySetResult();
        }

        Membership.Changed += Look;
        Look(Membership.Current);
        try
        {
            await done.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{Name}'s table: {Describe()}");
        }
        finally
        {
            Membership.Changed -= Look;
        }
    }

    /// <summary>Ends without a word, as a killed process does. What was synced stays.</summary>
    public async Task KillAsync()
    {
        if (_down) return;
        _down = true;
        await System.Remote().ShutdownAsync(graceful: false);
        await Membership.StopAsync(announce: false);
        await CloseAsync();
    }

    /// <summary>A clean stop, as on SIGTERM.</summary>
    public async Task StopAsync()
    {
        if (_down) return;
        _down = true;
        await Membership.StopAsync();
        await _raft.StopAsync();
        await System.Remote().ShutdownAsync(graceful: true);
        await CloseAsync();
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    async Task CloseAsync()
    {
        await _raft.StopAsync();
        await System.ShutdownAsync("test");
        _writer.Dispose();
        _storage.Dispose();
        _store.Dispose();
    }

    string Describe() => $"view {Membership.Current.View}: " + string.Join("; ", Membership.Current.Members.Values.Select(m => $"{m.Name} {m.State} i{m.Incarnation} ({m.Evidence})"));
}
