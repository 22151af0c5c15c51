using Proto.Cluster.Placement;

namespace Proto.Cluster.Partition;

/// <summary>
/// Hosts activations for the owners of their identities. It starts one only for an owner that has the same topology, so that what it has told
/// in a hand-over stays complete.
/// </summary>
sealed class PartitionPlacementActor : IActor
{
    readonly Cluster _cluster;
    readonly PartitionConfig _config;
    readonly ActivationHost _host;
    PlacementView _view = PlacementView.Empty;
    HandOverPages _pages;
    bool _pagesAreComplete; // nothing was started since they were made
    EventStreamSubscription<object>? _topologies;

    PartitionPlacementActor(Cluster cluster, PartitionConfig config, ActivationHost host)
    {
        (_cluster, _config, _host) = (cluster, config, host);
        _pages = new HandOverPages(_view, config.HandoverChunkSize);
    }

    public static Props Props(Cluster cluster, PartitionConfig config) => ActivationHost.PropsOf(cluster, host => new PartitionPlacementActor(cluster, config, host));

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: Start(context); break;
            case ActivationRequest { ClusterIdentity: null }: context.Respond(ActivationHost.RefusedWithoutIdentity()); break;
            case ActivationRequest request: Activate(context, request); break;
            case HandOverRequest request: context.Respond(Report(request)); break;
            case ClusterTopology topology: Changed(context, new PlacementView(topology.Members)); break;
            case PlacementDiagnostics: context.Respond(new PlacementDiagnostics($"{_view.Hash:x16}", _host.Count, [])); break;
            case Terminated terminated: _host.Ended(context, terminated.Who); break;
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

    void Activate(IContext context, ActivationRequest request) => _host.Activate(
        context,
        request.ClusterIdentity,
        () => OtherTopology(request.TopologyHash),
        (turn, response) =>
        {
            _pagesAreComplete = false;
            turn.Respond(response);
        });

    /// <summary>An owner that asks because it was restarted does not know what was started since the topology changed.</summary>
    HandOverReport Report(HandOverRequest request)
    {
        if (!_pagesAreComplete && request.Offset == 0) _pages.Replace(request.RequesterId, _host.All.Where(IsOfRequester));
        return _pages.Report(request, _host.Contains);

        bool IsOfRequester(Activation activation) => string.Equals(_view.DirectoryOf(activation.ClusterIdentity)?.Id, request.RequesterId, StringComparison.Ordinal);
    }

    void Changed(IContext context, PlacementView view)
    {
        _view = view;
        _pagesAreComplete = true;
        _pages = new HandOverPages(view, _config.HandoverChunkSize);
        var isMember = view.Find(_cluster.System.Id) is not null;
        foreach (var activation in _host.All.ToArray())
        {
            // The others believe that this member is gone, and start what it hosts elsewhere.
            if (!isMember) _host.End(context, activation.ClusterIdentity);
            else if (view.DirectoryOf(activation.ClusterIdentity) is { } owner) _pages.Add(owner.Id, activation);
        }
    }

    ActivationResponse? OtherTopology(ulong hash) => hash == _view.Hash
        ? null
        : ActivationHost.Refused(
            ActivationRefusal.RefusalNotOwner, $"{_cluster.System.Address} has the topology {_view.Hash:x16} and the identity's owner {hash:x16}");
}
