using System.Collections.Concurrent;
using System.Collections.Immutable;
using ActorCluster.Grains.Actors;
using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Proto;
using Proto.Cluster;
using Proto.Cluster.Testing;
using Proto.Remote;
using Proto.Remote.GrpcNet;
using Member = ActorCluster.Membership.Member;

namespace ActorCluster.Grains.Tests;

/// <summary>
/// Nodes of one cluster in this process: real consensus on real files, real remoting over loopback. Only membership is
/// handed to them, by <see cref="Publish"/>.
/// </summary>
sealed class TestCluster : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly string _directory = Directory.CreateTempSubdirectory("grains-tests-").FullName;
    readonly InMemAgent _agent = new();
    readonly Dictionary<NodeUid, MemberState> _states = [];
    readonly Func<GrainKinds> _kinds;
    readonly Func<ClusterConfig, ClusterConfig> _configure;
    readonly GrainOptions _grains;
    readonly Func<IReplicaGroup, IReplicaGroup> _wrap;
    PartitionMap? _map;
    ulong _view;

    TestCluster(Func<GrainKinds>? kinds, Func<ClusterConfig, ClusterConfig>? configure, GrainOptions? grains, Func<IReplicaGroup, IReplicaGroup>? wrap)
    {
        _wrap = wrap ?? (same => same);
        _kinds = kinds ?? (() => new GrainKinds());
        _configure = configure ?? (same => same);
        _grains = grains ?? new GrainOptions();
    }

    public List<TestNode> Nodes { get; } = [];

    /// <summary>What a test makes fail on purpose; any other logged error fails the test.</summary>
    public string? ProvokedError { get; set; }

    public static CancellationToken Soon() => new CancellationTokenSource(Patience).Token;

    public static async Task<TestCluster> StartAsync(
        int nodes = 3,
        int partitions = 4,
        int replicas = 3,
        Func<GrainKinds>? kinds = null,
        Func<ClusterConfig, ClusterConfig>? configure = null,
        GrainOptions? grains = null,
        Func<IReplicaGroup, IReplicaGroup>? wrap = null)
    {
        var cluster = new TestCluster(kinds, configure, grains, wrap);
        for (var i = 1; i <= nodes; i++) cluster.Nodes.Add(await cluster.StartNodeAsync(i));
        cluster._map = PartitionMapView.BuildFirst(partitions, replicas, [.. cluster.Nodes.Take(replicas).Select(n => n.Uid)]);
        cluster.Publish();
        await cluster.LedAsync();
        return cluster;
    }

    /// <summary>Every partition is led by a node that is still here and ready.</summary>
    public async Task LedAsync()
    {
        var deadline = Soon();
        foreach (var partition in _map!.Partitions)
        {
            while (!Nodes.Exists(n => n.Leads(partition.Id))) await AnyLeadershipAsync(deadline);
        }
    }

    public TestNode LeaderOf(string identity) => Nodes.Single(n => n.Leads(PartitionMapView.Of(_map!).Find(identity).Id));

    /// <summary>Tells every node who is a member, and the partition map.</summary>
    public void Publish()
    {
        _view++;
        foreach (var node in Nodes) node.Runtime.Update(View(node.Uid));
    }

    public void SetState(TestNode node, MemberState state)
    {
        _states[node.Uid] = state;
        Publish();
    }

    /// <summary>Ends a node as a crash does: nobody is told, nothing is handed over.</summary>
    public async Task KillAsync(TestNode node)
    {
        Nodes.Remove(node);
        await node.KillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes) await node.StopAsync();
        Directory.Delete(_directory, recursive: true);
        Assert.Empty(Nodes.SelectMany(n => n.Log.Errors).Where(e => ProvokedError is null || !e.Contains(ProvokedError, StringComparison.Ordinal)));
    }

    async Task<TestNode> StartNodeAsync(int number)
    {
        var node = new TestNode(number, Path.Combine(_directory, $"node-{number}"), _kinds(), _grains, _wrap);
        await node.StartAsync(_agent, _configure);
        return node;
    }

    async Task AnyLeadershipAsync(CancellationToken deadline)
    {
        var changed = Nodes.Select(n => n.LeadershipChangedAsync());
        await Task.WhenAny(changed).WaitAsync(deadline);
    }

    MembershipSnapshot View(NodeUid self)
    {
        var members = Nodes.Select(n => new Member(
            n.Uid,
            new NodeInfo { Uid = n.Uid.Value, Incarnation = 1, Name = n.Name, Address = n.System.Address },
            _states.GetValueOrDefault(n.Uid, MemberState.Up),
            MemberState.Up,
            Suspected: false,
            Incarnation: 1,
            View: _view,
            Evidence: ""));
        return MembershipSnapshot.Empty(self) with { View = _view, Members = members.ToImmutableSortedDictionary(m => m.Uid, m => m), Partitions = _map };
    }
}

sealed class TestNode(int number, string directory, GrainKinds kinds, GrainOptions options, Func<IReplicaGroup, IReplicaGroup> wrap) : INodeDirectory
{
    readonly ConcurrentDictionary<uint, bool> _leads = new();
    readonly Lock _gate = new();
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    NodeStorage _storage = null!;
    LogWriter _writer = null!;
    RaftHost _raft = null!;

    public NodeUid Uid { get; } = new(0xabc0_0000ul + (ulong)number);

    public string Name => $"node-{number}";

    public ActorSystem System { get; private set; } = null!;

    public Cluster Cluster => System.Cluster();

    public GrainRuntime Runtime { get; private set; } = null!;

    /// <summary>What the engine logged as an error: an actor that failed. No test provokes one in the node's own actors.</summary>
    public ErrorLog Log { get; } = new();

    public ConcurrentQueue<GrainEvent> Events { get; } = new();

    public bool Leads(uint partition) => _leads.GetValueOrDefault(partition);

    public string? AddressOf(NodeUid uid) => uid == Uid ? System.Address : Runtime.State.AddressOf(uid);

    /// <summary>Completes at the next change of a partition's leadership on this node.</summary>
    public Task LeadershipChangedAsync()
    {
        lock (_gate) return _changed.Task;
    }

    public async Task StartAsync(InMemAgent agent, Func<ClusterConfig, ClusterConfig> configure)
    {
        Runtime = new GrainRuntime(Uid, Name, kinds, new KeyspaceOptions { RequestTimeout = TestCluster.Patience }, options, TimeProvider.System, new Xoshiro256((ulong)number));
        var remote = GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages([.. Runtime.Files, RaftReflection.Descriptor, WrappersReflection.Descriptor]);
        var config = ClusterConfig.Setup("test", new TestProvider(new TestProviderOptions(), agent), Runtime.Lookup)
            .WithActorRequestTimeout(TestCluster.Patience)
            .WithClusterKinds(Runtime.ClusterKinds);
        System = new ActorSystem(ActorSystemConfig.Setup().WithLoggerFactory(Log)).WithRemote(remote).WithCluster(configure(config));
        System.EventStream.Subscribe<GrainEvent>(Events.Enqueue);
        System.EventStream.Subscribe<PartitionLeadership>(change =>
        {
            _leads[change.Partition.Id] = change.Leads;
            lock (_gate)
            {
                _changed.SetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        });
        await Cluster.StartMemberAsync().WaitAsync(TestCluster.Soon());

        _storage = NodeStorage.Open(OsFileSystem.Instance, directory);
        _writer = new LogWriter(_storage.Log);
        _raft = new RaftHost(
            System, Uid, _writer, _storage.Snapshots, this, new RaftOptions { SnapshotEntries = 200 }, TimeProvider.System, new Xoshiro256((ulong)number), NullLoggerFactory.Instance);
        Runtime.Start(System, (group, voters, machine) => wrap(_storage.Groups.FirstOrDefault(g => g.Group == group) is { } recovered
            ? _raft.Start(recovered, () => machine)
            : _raft.Start(group, new GroupConfig { Voters = { voters.Select(v => v.Value) } }, () => machine)), static _ => { });
    }

    public async Task StopAsync()
    {
        await Runtime.StopAsync();
        await _raft.StopAsync();
        await Cluster.ShutdownAsync();
        _writer.Dispose();
        _storage.Dispose();
    }

    public async Task KillAsync()
    {
        await System.Remote().ShutdownAsync(graceful: false);
        await _raft.StopAsync();
        await System.ShutdownAsync();
        _writer.Dispose();
        _storage.Dispose();
    }
}
