using Proto.Cluster.Placement;

namespace Proto.Cluster.PartitionActivator;

/// <summary>
/// Hosts the activations that this member owns; ends those that the topology gave to another. A topology in which an identity is this
/// member's allows no start of it before every other member there has said that it holds it no more.
/// </summary>
sealed class PartitionActivatorActor : IActor
{
    static readonly TimeSpan TellAfter = TimeSpan.FromSeconds(10);

    readonly Cluster _cluster;
    readonly ActivationHost _host;
    readonly HandOverAsker _handOver;
    readonly int _pageSize;
    PlacementView _view = PlacementView.Empty;
    HandOverPages _pages;
    EventStreamSubscription<object>? _topologies;

    PartitionActivatorActor(Cluster cluster, ActivationHost host, TimeSpan patience, int pageSize)
    {
        _cluster = cluster;
        _host = host;
        _pageSize = pageSize;
        _pages = new HandOverPages(_view, pageSize);
        _handOver = new HandOverAsker(cluster, PartitionActivatorLookup.ActivatorName, patience, TellAfter, LetGo);
    }

    public static Props Props(Cluster cluster, TimeSpan patience, int pageSize) => ActivationHost.PropsOf(cluster, host => new PartitionActivatorActor(cluster, host, patience, pageSize));

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: Start(context); break;
            case ActivationRequest { ClusterIdentity: null }: context.Respond(ActivationHost.RefusedWithoutIdentity()); break;
            case ActivationRequest request: Activate(context, request.ClusterIdentity); break;
            case HandOverRequest request: context.Respond(_pages.Report(request, _host.Contains)); break;
            case ClusterTopology topology: Changed(context, new PlacementView(topology.Members)); break;
            case Terminated terminated: _host.Ended(context, terminated.Who); break;
            case PlacementDiagnostics: context.Respond(_handOver.Diagnostics(_host.Count)); break;
            case Drain: _host.Close(context); break;
            case Restarting or Stopping: _topologies?.Unsubscribe(); break;
        }

        return Task.CompletedTask;
    }

    void Start(IContext context)
    {
        _topologies = context.System.EventStream.Subscribe<ClusterTopology>(context.System.Root, context.Self);
        Changed(context, new PlacementView(_cluster.MemberList.GetAllMembers()));
    }

    void Activate(IContext context, ClusterIdentity identity)
    {
        // Even where it still runs here: it is about to end, and the asker shall find the next one.
        if (NotOwner(identity) is { } refusal) context.Respond(refusal);
        else _host.Activate(context, identity, () => NotOwner(identity) ?? _handOver.Refusal(identity, static (view, mine) => view.HostOf(mine)));
    }

    void Changed(IContext context, PlacementView view)
    {
        _view = view;
        _pages = new HandOverPages(view, _pageSize);
        foreach (var activation in _host.All.ToArray())
        {
            var owner = view.HostOf(activation.ClusterIdentity);
            if (IsSelf(owner)) continue;
            if (owner is not null) _pages.Add(owner.Id, activation);
            _host.End(context, activation.ClusterIdentity);
        }

        _handOver.Begin(context, view, asksSelf: false);
    }

    ActivationResponse? NotOwner(ClusterIdentity identity) => IsSelf(_view.HostOf(identity))
        ? null
        : ActivationHost.Refused(ActivationRefusal.RefusalNotOwner, $"{_cluster.System.Address} does not own it in the topology {_view.Hash:x16}");

    bool IsSelf(Member? member) => string.Equals(member?.Id, _cluster.System.Id, StringComparison.Ordinal);

    static bool LetGo(HandOver.Peer peer, IReadOnlyList<Activation> held)
    {
        peer.Held = [.. held.Select(activation => activation.ClusterIdentity)];
        return held.Count == 0;
    }
}
