using Proto.Cluster.Gossip;

namespace Proto.Cluster.Seed;

/// <summary>The membership has somebody new: the seed node that answered this member, or nobody when it starts alone.</summary>
sealed record MembershipBegun(Member? Seed);

/// <summary>
/// The actor <c>$server_seed</c> of every member: takes in whoever asks, spreads the membership by gossip, tells it to the member list, and
/// tells clients the topology.
/// </summary>
sealed class SeedNodeActor(Cluster cluster, SeedNodeClusterProviderOptions options, SeedJoiner joiner) : IActor
{
    public const string Name = "$server_seed";

    readonly SeedMembership _membership = new(cluster.MemberList.Self);
    readonly SeedClients _clients = new(cluster.System.Config.TimeProvider, 3 * options.ClientRenewalInterval);
    readonly TimeProvider _time = cluster.System.Config.TimeProvider;
    readonly CancellationTokenSource _stop = new();
    EventStreamSubscription<object>? _updates;
    EventStreamSubscription<object>? _topologies;
    ITimer? _rejoin;

    sealed record Rejoin;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: Start(context); break;
            case Restarting or Stopping: End(); break;
            case MembershipBegun begun: OnBegun(begun); break;
            case JoinRequest request: OnJoin(context, request); break;
            case JoinAsClientRequest request: OnJoinAsClient(context, request); break;
            case GossipUpdate update when update.Value.TryUnpack<SeedMembers>(out var others): OnGossip(others); break;
            case ClusterTopology topology: OnTopology(context, topology); break;
            case Rejoin: context.ReenterAfter(joiner.AddressesAsync(_stop.Token), addresses => AskAgain(context, addresses)); break;
        }

        return Task.CompletedTask;
    }

    void Start(IContext context)
    {
        var (root, self) = (context.System.Root, context.Self);
        _updates = context.System.EventStream.Subscribe<GossipUpdate>(
            update => string.Equals(update.Key, GossipKeys.SeedMembers, StringComparison.Ordinal), update => root.Send(self, update));
        _topologies = context.System.EventStream.Subscribe<ClusterTopology>(topology => topology.TopologyValidityToken is not null, topology => root.Send(self, topology));
        _rejoin = _time.CreateTimer(_ => root.Send(self, new Rejoin()), null, options.RejoinInterval, options.RejoinInterval);
        // After a restart: what the list has is what was known.
        foreach (var member in cluster.MemberList.GetOtherMembers()) _membership.Add(member);
    }

    void End()
    {
        _stop.Cancel();
        _updates?.Unsubscribe();
        _topologies?.Unsubscribe();
        _rejoin?.Dispose();
    }

    void OnBegun(MembershipBegun begun)
    {
        if (begun.Seed is not null) _membership.Add(begun.Seed);
        Publish();
    }

    void OnJoin(IContext context, JoinRequest request)
    {
        if (!SeedMembership.IsWellFormed(request.Joiner))
        {
            context.Respond(new JoinResponse { Refused = "the joiner needs an id, a host and a port" });
            return;
        }

        var joined = _membership.Add(request.Joiner);
        if (joined) Publish();
        context.Respond(_membership.HasDeparted(request.Joiner.Id)
            ? new JoinResponse { Refused = $"the member {request.Joiner.Id} has departed: a new one needs a new actor system" }
            : new JoinResponse { Member = cluster.MemberList.Self });
    }

    void OnJoinAsClient(IContext context, JoinAsClientRequest request)
    {
        if (!_clients.TryAdd(request.SystemId))
        {
            context.Respond(new JoinResponse { Refused = $"this member tells {SeedClients.MaxClients} clients already" });
            return;
        }

        context.Respond(new JoinResponse { Member = cluster.MemberList.Self });
        context.Send(ClientPid(request.SystemId), Topology());
    }

    void OnGossip(SeedMembers others)
    {
        if (_membership.Merge(others)) Publish();
    }

    void OnTopology(IContext context, ClusterTopology topology)
    {
        // Only who departed: one that this member blocks by itself stays a member for the others.
        var changed = false;
        foreach (var left in topology.Left)
        {
            if (cluster.MemberList.HasDeparted(left.Id)) changed |= _membership.Depart(left.Id);
        }

        if (changed) Publish();
        foreach (var client in _clients.Current()) context.Send(ClientPid(client), Topology());
    }

    void AskAgain(IContext context, Task<IReadOnlyList<string>> addresses)
    {
        // A discovery that fails now is asked again at the next interval.
        if (!addresses.IsCompletedSuccessfully) return;
        foreach (var address in addresses.Result)
        {
            context.ReenterAfter(joiner.AskAsync(address, new JoinRequest { Joiner = cluster.MemberList.Self }, _stop.Token), answer =>
            {
                if (answer is { IsCompletedSuccessfully: true, Result.Member: { } member } && _membership.Add(member)) Publish();
            });
        }
    }

    void Publish()
    {
        foreach (var departed in _membership.Departed) cluster.MemberList.MarkDeparted(departed);
        cluster.MemberList.UpdateClusterTopology(_membership.Members);
        if (!cluster.IsStopping) cluster.Gossip.SetState(GossipKeys.SeedMembers, _membership.Describe());
    }

    ClusterTopology Topology()
    {
        var members = cluster.MemberList.GetAllMembers();
        return new ClusterTopology { TopologyHash = Member.TopologyHash64(members), Members = { members } };
    }

    static PID ClientPid(string systemId) => PID.FromAddress($"{ActorSystem.Client}/{systemId}", SeedClientActor.Name);
}
