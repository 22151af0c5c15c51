namespace Proto.Cluster.PartitionActivator;

/// <summary>Hosts the activations that this member owns; ends those that the topology gave to another.</summary>
sealed class PartitionActivatorActor(Cluster cluster) : IActor
{
    readonly Dictionary<ClusterIdentity, PID> _activations = [];
    readonly Dictionary<PID, ClusterIdentity> _identities = [];
    EventStreamSubscription<object>? _topologies;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: _topologies = context.System.EventStream.Subscribe<ClusterTopology>(context.System.Root, context.Self); break;
            case ActivationRequest request: Activate(context, request.ClusterIdentity); break;
            case ClusterTopology: EndMoved(context); break;
            case Terminated terminated: Ended(terminated.Who); break;
            case Stopping: _topologies?.Unsubscribe(); break;
        }

        return Task.CompletedTask;
    }

    void Activate(IContext context, ClusterIdentity identity)
    {
        if (_activations.TryGetValue(identity, out var known))
        {
            context.Respond(new ActivationResponse { Pid = known });
            return;
        }

        // The asker's topology is not ours: it asks again when they agree.
        if (!IsOwned(identity) || cluster.TryGetClusterKind(identity.Kind) is not { } kind)
        {
            context.Respond(new ActivationResponse { Failed = true });
            return;
        }

        if (kind.CanSpawnIdentity is null) Spawn(context, identity, kind);
        else context.ReenterAfter(MaySpawn(kind, identity, context.CancellationToken), task => Decided(context, identity, kind, task));
    }

    static async Task<bool> MaySpawn(ActivatedClusterKind kind, ClusterIdentity identity, CancellationToken cancellationToken) =>
        await kind.CanSpawnIdentity!(identity.Identity, cancellationToken);

    void Decided(IContext context, ClusterIdentity identity, ActivatedClusterKind kind, Task<bool> decision)
    {
        if (!decision.IsCompletedSuccessfully) context.Respond(new ActivationResponse { Failed = true });
        else if (!decision.Result) context.Respond(new ActivationResponse { InvalidIdentity = true });
        else if (_activations.TryGetValue(identity, out var known)) context.Respond(new ActivationResponse { Pid = known });
        else Spawn(context, identity, kind);
    }

    void Spawn(IContext context, ClusterIdentity identity, ActivatedClusterKind kind)
    {
        var pid = context.Spawn(kind.Props, activation => activation.SetClusterIdentity(identity));
        _activations[identity] = pid;
        _identities[pid] = identity;
        context.Watch(pid);
        context.Respond(new ActivationResponse { Pid = pid });
    }

    void EndMoved(IContext context)
    {
        foreach (var (identity, pid) in _activations)
        {
            if (!IsOwned(identity)) context.Poison(pid);
        }
    }

    void Ended(PID pid)
    {
        if (!_identities.Remove(pid, out var identity)) return;
        _activations.Remove(identity);
        cluster.MemberList.BroadcastEvent(new ActivationTerminated { Pid = pid, ClusterIdentity = identity });
    }

    bool IsOwned(ClusterIdentity identity) =>
        Rendezvous.OwnerOf(identity, cluster.MemberList.GetMembersByKind(identity.Kind)) is { } owner
        && string.Equals(owner.Id, cluster.MemberList.MemberId, StringComparison.Ordinal);
}
