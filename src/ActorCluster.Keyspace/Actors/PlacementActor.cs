using ActorCluster.Membership;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;
using Proto;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// The actor <c>placement</c>: on the node whose coordinator replica leads, proposes what <see cref="PlacementPolicy"/> plans and what
/// the partitions' leaders report. Idle elsewhere. Everything it proposes names the version that it is based on, so two of them, or
/// one that is late, do no harm.
/// </summary>
public sealed class PlacementActor(PlacementActor.Services services) : IActor
{
    public const string ActorName = "placement";

    static readonly TimeSpan ProposalDeadline = TimeSpan.FromSeconds(5);

    readonly PlacementPolicy _policy = new(services.Options);
    ITimer? _timer;
    bool _proposing;

    /// <summary>What the actor needs.</summary>
    /// <param name="Members">The newest membership known here.</param>
    /// <param name="LeadsCoordinator">Whether this node's coordinator replica leads and has applied the first entry of its term.</param>
    /// <param name="Propose">Proposes a command of the part <see cref="PartitionMapPart.PartName"/>.</param>
    /// <param name="Options">Limits.</param>
    /// <param name="Every">How often to plan.</param>
    /// <param name="Time">The node's time.</param>
    public sealed record Services(
        Func<MembershipSnapshot> Members,
        Func<bool> LeadsCoordinator,
        Func<IMessage, CancellationToken, Task> Propose,
        PlacementOptions Options,
        TimeSpan Every,
        TimeProvider Time);

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                var (root, self) = (context.System.Root, context.Self);
                _timer = services.Time.CreateTimer(_ => root.Send(self, Look.Instance), null, services.Every, services.Every);
                break;
            case Look:
                Plan(context);
                break;
            case ReplicasSettled settled:
                Settle(context, settled);
                break;
            case Stopping or Restarting:
                _timer?.Dispose();
                break;
        }

        return Task.CompletedTask;
    }

    void Plan(IContext context)
    {
        if (_proposing || !services.LeadsCoordinator()) return;
        var members = services.Members();
        if (members.Partitions is not { } map) return;
        var standing = members.Members.Values
            .Where(m => m.CommittedState is MemberState.Up or MemberState.Joining)
            .ToDictionary(m => m.Uid, m => m.State == MemberState.Up);
        if (_policy.Plan(PartitionMapView.Of(map), standing) is { } plan)
            Propose(context, new PartitionMapCommand { ExpectedVersion = map.Version, Map = plan });
    }

    void Settle(IContext context, ReplicasSettled settled)
    {
        // Reports repeat until the map shows them, and the map is gossiped: most come too late to say anything new.
        if (_proposing || !services.LeadsCoordinator()) return;
        var partition = services.Members().Partitions?.Partitions.FirstOrDefault(p => p.Id == settled.Partition);
        if (partition is { Holders.Count: > 0 } && partition.ReplicasVersion == settled.ReplicasVersion)
            Propose(context, new PartitionMapCommand { Settled = settled });
    }

    /// <summary>One at a time. What does not come through is planned again from what is true then.</summary>
    void Propose(IContext context, PartitionMapCommand command)
    {
        _proposing = true;
        var deadline = new CancellationTokenSource(ProposalDeadline, services.Time);
        context.ReenterAfter(services.Propose(command, deadline.Token), _ =>
        {
            _proposing = false;
            deadline.Dispose();
        });
    }

    sealed class Look
    {
        public static readonly Look Instance = new();
    }
}
