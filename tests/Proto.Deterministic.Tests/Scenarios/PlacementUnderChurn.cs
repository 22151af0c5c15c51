using Proto.Cluster;
using Proto.Cluster.Identity;
using Proto.Cluster.Partition;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// Members join, leave, and die; each hears of every change at another time. No member is ever taken out while it lives. An identity never runs
/// twice, and when all has settled every identity answers.
/// </summary>
static class PlacementUnderChurn
{
    const string Kind = "slow to stop";
    const int Identities = 6;
    const int Changes = 6;

    public static void Run(DeterministicWorld world) => Run(world, new Coverage());

    public static void Run(DeterministicWorld world, Coverage coverage)
    {
        var random = world.RandomFor("churn");
        var lookup = random.Next(3);
        var churn = new Churn(world, random, coverage, lookup, lookup == 2 ? new InMemoryIdentityStorage(world.Time, TimeSpan.FromSeconds(30)) : null);
        world.Run(churn.RunAsync, TimeSpan.FromMinutes(30));
        churn.KillAll();
        Check.NothingWaits(world);
    }

    sealed class Churn(DeterministicWorld world, SeededRandom random, Coverage coverage, int lookup, IIdentityStorage? storage)
    {
        readonly DeterministicWorld _world = world;
        readonly List<Cluster.Cluster> _all = [];
        readonly List<Cluster.Cluster> _alive = [];
        readonly List<Member> _members = [];
        readonly List<TopologyLater> _listeners = [];
        readonly Dictionary<string, string> _running = new(StringComparer.Ordinal);
        bool _isOver;

        public async Task RunAsync()
        {
            var telling = TellAsync();
            for (var i = 0; i < 2; i++) await JoinAsync();
            var clients = new List<Task>();
            for (var change = 0; change < Changes; change++)
            {
                for (var i = 0; i < 8; i++) clients.Add(AskAsync(_alive[random.Next(_alive.Count)], $"{random.Next(Identities)}", TimeSpan.FromSeconds(20)));
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 2000)), _world.Time);
                switch (random.Next(3))
                {
                    case 0 when _alive.Count > 2: await LeaveAsync(); break;
                    case 1 when _alive.Count > 2: Die(); break;
                    default: await JoinAsync(); break;
                }
            }

            await Task.WhenAll(clients);
            await Task.Delay(TimeSpan.FromSeconds(60), _world.Time);
            foreach (var member in _alive)
            {
                for (var identity = 0; identity < Identities; identity++)
                {
                    var failure = await AskAsync(member, $"{identity}", TimeSpan.FromSeconds(30));
                    Check.That(failure is null, $"{identity} does not answer {member.System.Address} although nothing changes: {failure}; topologies: {Topologies()}");
                }
            }

            foreach (var member in _alive.ToArray()) await member.ShutdownAsync();
            _isOver = true;
            await telling;
            Check.That(_running.Count == 0, $"still running after all have left: {string.Join(", ", _running)}");
        }

        string Topologies() => string.Join("; ", _alive.Select(member =>
            $"{member.System.Address} sees {string.Join(", ", member.MemberList.GetAllMembers().Select(seen => seen.Port))}"));

        public void KillAll()
        {
            foreach (var member in _all) _world.Kill(member.System);
        }

        async Task JoinAsync()
        {
            coverage.Saw("join");
            var provider = new TopologyLater(this);
            var system = _world.CreateRemote($"m{_all.Count}");
            var member = system.WithCluster(ClusterConfig.Setup("test", provider, Lookup())
                .WithActorRequestTimeout(TimeSpan.FromSeconds(2))
                .WithClusterKind(Kind, Props.FromFunc(ReceiveAsync))).Cluster();
            _all.Add(member);
            await _world.Start(system, member.StartMemberAsync);
            _alive.Add(member);
        }

        async Task LeaveAsync()
        {
            coverage.Saw("leave");
            var leaving = Take();
            await leaving.ShutdownAsync();
            foreach (var left in _running.Where(running => string.Equals(running.Value, leaving.System.Id, StringComparison.Ordinal)).ToArray())
                Check.That(false, $"{left.Key} still runs on a member that has left");
        }

        void Die()
        {
            coverage.Saw("death");
            var victim = Take();
            _world.Kill(victim.System);
            foreach (var lost in _running.Where(running => string.Equals(running.Value, victim.System.Id, StringComparison.Ordinal)).ToArray()) _running.Remove(lost.Key);
            _listeners.RemoveAll(listener => listener.IsOf(victim));
            Remove(victim.System.Id);
        }

        Cluster.Cluster Take()
        {
            var taken = _alive[random.Next(_alive.Count)];
            _alive.Remove(taken);
            return taken;
        }

        void Add(Member member)
        {
            _members.Add(member);
            TellAll();
        }

        void Remove(string memberId)
        {
            _members.RemoveAll(member => string.Equals(member.Id, memberId, StringComparison.Ordinal));
            TellAll();
        }

        void TellAll()
        {
            Member[] now = [.. _members];
            foreach (var listener in _listeners) listener.Tell(now, _world.Now + TimeSpan.FromMilliseconds(random.Next(0, 3000)));
        }

        /// <summary>Runs apart from the members: what one of them set going ends with it.</summary>
        async Task TellAsync()
        {
            while (!_isOver)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), _world.Time);
                foreach (var listener in _listeners.ToArray()) listener.TellDue(_world.Now);
            }
        }

        /// <summary>Null when it was answered; otherwise why not.</summary>
        async Task<string?> AskAsync(Cluster.Cluster from, string identity, TimeSpan patience)
        {
            try
            {
                await from.RequestAsync<Pong>(identity, Kind, new Ping(), new CancellationTokenSource(patience, _world.Time).Token);
                coverage.Saw("answer");
                return null;
            }
            catch (Exception failure) when (failure is TimeoutException or OperationCanceledException)
            {
                coverage.Saw(failure.GetType().Name);
                return failure.Message;
            }
        }

        async Task ReceiveAsync(IContext context)
        {
            var identity = context.ClusterIdentity()!.Identity;
            switch (context.Message)
            {
                case Started:
                    Check.That(_running.TryAdd(identity, context.System.Id), $"{identity} is started while it runs elsewhere");
                    break;
                case Stopping: await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 1500)), _world.Time); break;
                case Stopped: _running.Remove(identity); break;
                case Ping: context.Respond(new Pong()); break;
            }
        }

        IIdentityLookup Lookup()
        {
            coverage.Saw($"lookup {lookup}");
            return lookup switch
            {
                0 => new PartitionActivatorLookup(TimeSpan.FromSeconds(1)),
                1 => new PartitionIdentityLookup(new PartitionConfig { GetPidTimeout = TimeSpan.FromSeconds(1), HandoverChunkSize = 2 }),
                _ => new IdentityStorageLookup(storage!),
            };
        }

        /// <summary>Tells its member every topology, in order, each after a time of its own.</summary>
        sealed class TopologyLater(Churn churn) : IClusterProvider
        {
            Cluster.Cluster? _cluster;
            readonly Queue<(Member[] Members, TimeSpan At)> _topologies = new();

            public Task StartMemberAsync(Cluster.Cluster cluster)
            {
                _cluster = cluster;
                churn._listeners.Add(this);
                churn.Add(cluster.MemberList.Self);
                return Task.CompletedTask;
            }

            public Task StartClientAsync(Cluster.Cluster cluster) => throw new NotSupportedException();

            public Task ShutdownAsync(bool graceful)
            {
                churn._listeners.Remove(this);
                churn.Remove(_cluster!.System.Id);
                return Task.CompletedTask;
            }

            public bool IsOf(Cluster.Cluster cluster) => ReferenceEquals(_cluster, cluster);

            public void Tell(Member[] members, TimeSpan at) => _topologies.Enqueue((members, at));

            public void TellDue(TimeSpan now)
            {
                while (_topologies.TryPeek(out var next) && next.At <= now) _cluster!.MemberList.UpdateClusterTopology(_topologies.Dequeue().Members);
            }
        }
    }
}
