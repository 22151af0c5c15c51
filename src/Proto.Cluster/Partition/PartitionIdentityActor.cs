using Proto.Cluster.Placement;

namespace Proto.Cluster.Partition;

/// <summary>The owner of identities: tells where they are activated, and has them activated where they are not.</summary>
sealed class PartitionIdentityActor : IActor
{
    readonly Cluster _cluster;
    readonly PartitionConfig _config;
    readonly IdentityDirectory _directory = new();
    readonly HandOverAsker _handOver;
    PlacementView _view = PlacementView.Empty;
    PlacementTargets _placements = PlacementTargets.None;
    EventStreamSubscription<object>? _topologies;
    EventStreamSubscription<object>? _ends;

    public PartitionIdentityActor(Cluster cluster, PartitionConfig config)
    {
        _cluster = cluster;
        _config = config;
        _handOver = new HandOverAsker(
            cluster, PartitionIdentityLookup.PlacementName, config.RebalanceRequestTimeout, config.RebalanceActivationsCompletionTimeout, Adopt);
    }

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: Start(context); break;
            case ActivationRequest { ClusterIdentity: null }: context.Respond(ActivationHost.RefusedWithoutIdentity()); break;
            case ActivationRequest request: Find(context, request.ClusterIdentity); break;
            case ClusterTopology topology: Changed(context, new PlacementView(topology.Members)); break;
            case ActivationTerminated { ClusterIdentity: not null, Pid: not null } ended: Ended(ended); break;
            case PlacementDiagnostics: context.Respond(_handOver.Diagnostics(_directory.Count)); break;
            case SuspectActivation { Activation: { ClusterIdentity: not null, Pid: not null } } suspect: Doubt(suspect.Activation); break;
            case Restarting or Stopping:
                _topologies?.Unsubscribe();
                _ends?.Unsubscribe();
                break;
        }

        return Task.CompletedTask;
    }

    void Start(IContext context)
    {
        _topologies = context.System.EventStream.Subscribe<ClusterTopology>(context.System.Root, context.Self);
        _ends = context.System.EventStream.Subscribe<ActivationTerminated>(context.System.Root, context.Self);
        Changed(context, new PlacementView(_cluster.MemberList.GetAllMembers()));
    }

    void Changed(IContext context, PlacementView view)
    {
        _view = view;
        _placements = new PlacementTargets(view, PartitionIdentityLookup.PlacementName);
        _directory.Keep(view, _cluster.System.Id);
        _handOver.Begin(context, view, asksSelf: true);
    }

    void Find(IContext context, ClusterIdentity identity)
    {
        if (!IsMine(identity)) context.Respond(NotOwner());
        else if (_directory.Find(identity) is not { } entry) Place(context, identity);
        else if (entry.Pid is { } pid) context.Respond(new ActivationResponse { Pid = pid, Deduplicates = entry.Deduplicates });
        else if (entry.IsAsking) context.Respond(ActivationHost.Refused(ActivationRefusal.RefusalHandOver, $"{entry.Placement.Address} is activating it"));
        else Ask(context, identity, entry);
    }

    void Place(IContext context, ClusterIdentity identity)
    {
        if (_handOver.Refusal(identity, static (view, mine) => view.DirectoryOf(mine)) is { } refusal)
        {
            context.Respond(refusal);
            return;
        }

        var chosen = _cluster.MemberList.GetActivator(identity.Kind, context.Sender?.Address ?? "");
        // The member list may be a topology ahead of this actor.
        if (chosen is null || _view.Find(chosen.Id) is not { } placement)
        {
            context.Respond(ActivationHost.Refused(ActivationRefusal.RefusalUnknownKind, $"no member can be chosen for the kind '{identity.Kind}'"));
            return;
        }

        Ask(context, identity, _directory.Add(identity, placement));
    }

    void Ask(IContext context, ClusterIdentity identity, IdentityDirectory.Entry entry)
    {
        entry.IsAsking = true;
        var round = _handOver.State.Round;
        var request = new ActivationRequest { ClusterIdentity = identity, TopologyHash = _view.Hash };
        var asked = _cluster.System.Root.RequestAsync<ActivationResponse>(
            _placements.At(entry.Placement), request, _cluster.System.Deadlines.After(_config.GetPidTimeout));
        context.ReenterAfter(asked, answer => context.Respond(Answered(identity, entry, round, answer)));
    }

    ActivationResponse Answered(ClusterIdentity identity, IdentityDirectory.Entry entry, int round, Task<ActivationResponse> answer)
    {
        var failure = answer.Exception?.GetBaseException().Message;
        if (round == _handOver.State.Round) entry.IsAsking = false;
        if (!answer.IsCompletedSuccessfully)
        {
            // It may have been activated there all the same: that member is asked again, until it answers or leaves.
            return ActivationHost.Refused(ActivationRefusal.RefusalHandOver, $"{entry.Placement.Address} has not confirmed the activation: {failure}");
        }

        var response = answer.Result;
        if (response.Pid is not null) entry.Confirm(response.Pid, response.Deduplicates);
        // Of another topology, or in between: it says nothing about what this member knows now.
        else if (round == _handOver.State.Round && IsFinal(response)) _directory.Remove(identity, entry);
        return response.Pid is null || ReferenceEquals(_directory.Find(identity), entry)
            ? response
            : ActivationHost.Refused(ActivationRefusal.RefusalNotOwner, "the topology has changed meanwhile");
    }

    /// <summary>Nothing runs at the member that refused, and it starts nothing because of this question.</summary>
    static bool IsFinal(ActivationResponse refused) => refused.Refusal != ActivationRefusal.RefusalHandOver;

    void Ended(ActivationTerminated ended)
    {
        if (_directory.Find(ended.ClusterIdentity) is { } entry && ended.Pid.Equals(entry.Pid)) _directory.Remove(ended.ClusterIdentity, entry);
    }

    void Doubt(Activation suspect)
    {
        if (_directory.Find(suspect.ClusterIdentity) is { } entry && suspect.Pid.Equals(entry.Pid)) entry.Doubt();
    }

    bool Adopt(HandOver.Peer peer, IReadOnlyList<Activation> hosted)
    {
        foreach (var activation in hosted)
        {
            // Not told in hand-overs: at worst a lost reply is not asked for again.
            var deduplicates = _cluster.TryGetClusterKind(activation.ClusterIdentity.Kind) is { Deduplicates: true };
            // Two of one identity, from when members disagreed about the topology: the one that is known stays.
            if (!_directory.Adopt(activation, peer.Member, deduplicates)) _cluster.System.Root.Poison(activation.Pid);
        }

        return true;
    }

    bool IsMine(ClusterIdentity identity) => string.Equals(_view.DirectoryOf(identity)?.Id, _cluster.System.Id, StringComparison.Ordinal);

    ActivationResponse NotOwner() =>
        ActivationHost.Refused(ActivationRefusal.RefusalNotOwner, $"{_cluster.System.Address} does not own it in the topology {_view.Hash:x16}");
}
