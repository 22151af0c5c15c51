using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using Proto;
using MemberState = ActorCluster.Protocol.Membership.MemberState;

namespace ActorCluster.Admin;

/// <summary>
/// Learns who leads the partitions that this node holds no replica of, by asking the admin actor of a node that does. Idle
/// on a node that has them all.
/// </summary>
sealed class LeaderScout(KeyspaceState state, TimeProvider time) : IActor
{
    public const string Name = "leader-scout";

    static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    ITimer? _timer;
    int _next;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                var (root, self) = (context.System.Root, context.Self);
                _timer = time.CreateTimer(_ => root.Send(self, Look.Instance), null, Every, Every);
                break;
            case Look:
                Ask(context);
                break;
            case Partitions heard:
                Learn(heard);
                break;
            case Stopping:
                _timer?.Dispose();
                break;
        }

        return Task.CompletedTask;
    }

    void Ask(IContext context)
    {
        var unknown = state.Map?.Partitions.FirstOrDefault(IsUnknown);
        if (unknown is null) return;
        var holders = unknown.Replicas.Where(r => state.Members.Find(r) is { State: MemberState.Up }).ToArray();
        if (holders.Length == 0) return;
        var holder = state.Members.Find(holders[_next++ % holders.Length])!;
        context.Request(PID.FromAddress(holder.Address, AdminActor.Name), new GetPartitions());
    }

    bool IsUnknown(PartitionView partition) => !state.Route(partition).IsKnown && state.Replica(partition.Group) is null;

    void Learn(Partitions heard)
    {
        foreach (var info in heard.Partitions_)
        {
            if (new NodeUid(info.Leader).IsNone || info.LeaderAddress.Length == 0) continue;
            if (state.Map?.ById(info.Partition.Id) is { } partition && IsUnknown(partition))
                state.Learn(partition.Id, PID.FromAddress(info.LeaderAddress, KeyspaceState.KvGrainId(partition, info.Term)));
        }
    }

    sealed class Look
    {
        public static readonly Look Instance = new();
    }
}
