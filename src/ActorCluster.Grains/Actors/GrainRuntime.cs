using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Proto;
using Proto.Cluster;

namespace ActorCluster.Grains.Actors;

/// <summary>
/// Key space and virtual actors of one node, put together. In this order: make it; give <see cref="Files"/> to the remote,
/// <see cref="Lookup"/> and <see cref="ClusterKinds"/> to the cluster's configuration, a <see cref="PartitionMapPart"/> to
/// the coordinator; when the actor system has its address, <see cref="Start"/>; then <see cref="Update"/> with every
/// membership.
/// </summary>
public sealed class GrainRuntime
{
    readonly string _nodeName;
    readonly GrainKinds _kinds;
    readonly KeyspaceOptions _keyspace;
    readonly GrainOptions _grains;
    readonly TimeProvider _time;
    readonly IRandomSource _random;
    RemoteRequests? _remote;
    ActorSystem? _system;
    PID? _grainHost;
    PID? _partitionHost;

    /// <param name="self">This node's uid.</param>
    /// <param name="nodeName">What people call it.</param>
    /// <param name="kinds">The replicated kinds; the same on every node.</param>
    /// <param name="keyspace">Limits and times of the key space.</param>
    /// <param name="grains">Limits and times of the virtual actors.</param>
    /// <param name="time">The node's time.</param>
    /// <param name="random">For pauses between attempts.</param>
    public GrainRuntime(NodeUid self, string nodeName, GrainKinds kinds, KeyspaceOptions keyspace, GrainOptions grains, TimeProvider time, IRandomSource random)
    {
        (_nodeName, _kinds, _keyspace, _grains, _time, _random) = (nodeName, kinds, keyspace, grains, time, random);
        State = new KeyspaceState(self);
        Lookup = new ReplicatedIdentityLookup(State, grains, time);
    }

    /// <summary>What this node knows of the key space.</summary>
    public KeyspaceState State { get; }

    /// <summary>For the cluster's configuration.</summary>
    public ReplicatedIdentityLookup Lookup { get; }

    /// <summary>Keys and values, from this node. After <see cref="Start"/>.</summary>
    public KvRouter Kv { get; private set; } = null!;

    /// <summary>Calls of replicated grains, from this node. After <see cref="Start"/>.</summary>
    public GrainClient Grains { get; private set; } = null!;

    /// <summary>The protobuf files that the remote's serializer must know.</summary>
    public IEnumerable<FileDescriptor> Files => _kinds.Files
        .Concat([KeyspaceReflection.Descriptor, GrainsReflection.Descriptor, EmptyReflection.Descriptor]).Distinct();

    /// <summary>
    /// The kinds that this node hosts beside plain ones, for the cluster's configuration: members tell each other which
    /// kinds they host. How they are activated is the lookup's business, never these props'.
    /// </summary>
    public ClusterKind[] ClusterKinds => [.. _kinds.Names.Append(GrainHost.KvKind).Select(kind => new ClusterKind(kind, NeverSpawned(kind)))];

    /// <summary>Starts the actors <c>grains</c> and <c>partitions</c>.</summary>
    /// <param name="system">The node's actor system, with its address set.</param>
    /// <param name="open">Opens the replicas that the partition map gives to this node.</param>
    /// <param name="report">Tells the coordinator's leader that a partition has the replicas that the map names.</param>
    public void Start(ActorSystem system, OpenReplica open, Action<ReplicasSettled> report)
    {
        _system = system;
        var calls = new PartitionCalls(State, _keyspace, _time, _random);
        _remote = new RemoteRequests(system, calls.Deadlines);
        Kv = new KvRouter(State, calls, _remote, _keyspace);
        Grains = new GrainClient(calls, _remote, Lookup, _keyspace);
        _grainHost = GrainHost.Spawn(system, new GrainHost.Shared(State, _remote, _kinds, _grains, _time, _nodeName));
        _partitionHost = PartitionHost.Spawn(
            system, new PartitionHost.Services(State, open, report, Kv, static _ => [new GrainStatePart()], _keyspace, _time));
    }

    /// <summary>Takes a membership in: members, and the partition map once there is one.</summary>
    public void Update(MembershipSnapshot members)
    {
        Lookup.Update(members);
        if (_partitionHost is { } host) _system!.Root.Send(host, members);
    }

    /// <summary>Stops the activations and the KV grains. To be called before consensus stops.</summary>
    public async Task StopAsync()
    {
        if (_system is not { } system) return;
        await system.Root.StopAsync(_grainHost!);
        await system.Root.StopAsync(_partitionHost!);
        _remote!.Dispose();
    }

    static Props NeverSpawned(string kind) => Props.FromProducer(
        IActor () => throw new InvalidOperationException($"kind '{kind}' is activated by the actor 'grains' of its partition's leader"));
}
