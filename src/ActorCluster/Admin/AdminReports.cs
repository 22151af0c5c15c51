using System.Globalization;
using ActorCluster.Keyspace;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Raft.Actors;
using MemberState = ActorCluster.Protocol.Membership.MemberState;

namespace ActorCluster.Admin;

/// <summary>The admin actor's answers, computed from a <see cref="ClusterPicture"/>.</summary>
public static class AdminReports
{
    /// <summary>Shown for a member that placement has given nothing yet.</summary>
    public const string NoReplicasNote = "no replicas yet";

    public static Members Members(ClusterPicture picture)
    {
        var replicas = new Dictionary<NodeUid, uint>();
        var leads = new Dictionary<NodeUid, uint>();
        foreach (var partition in picture.Map?.Partitions ?? [])
        {
            foreach (var replica in partition.Replicas) replicas[replica] = replicas.GetValueOrDefault(replica) + 1;
            var leader = picture.LeaderOf(partition).Uid;
            if (!leader.IsNone) leads[leader] = leads.GetValueOrDefault(leader) + 1;
        }

        var report = new Members
        {
            ClusterId = picture.Membership.ClusterId,
            View = picture.Membership.View,
            AnsweredBy = picture.NodeName,
            Formed = picture.Formed,
        };
        report.WaitingFor.AddRange(picture.WaitingFor);
        foreach (var member in picture.Membership.Members.Values)
        {
            var holds = replicas.GetValueOrDefault(member.Uid);
            report.Members_.Add(new Protocol.Admin.Member
            {
                Uid = member.Uid.Value,
                Name = member.Name,
                Address = member.Address,
                HttpAddress = member.Node.HttpAddress,
                State = member.State,
                Incarnation = member.Incarnation,
                View = member.View,
                Evidence = member.Evidence,
                Replicas = holds,
                Leads = leads.GetValueOrDefault(member.Uid),
                CoordinatorVoter = picture.Membership.CoordinatorVoters.Contains(member.Uid),
                Note = picture.Map is not null && holds == 0 && member.State is MemberState.Up ? NoReplicasNote : "",
                Version = member.Node.Version,
                SystemId = member.Node.SystemId,
                Kinds = { member.Node.Kinds },
            });
        }

        return report;
    }

    public static Groups Groups(ClusterPicture picture)
    {
        var report = new Groups { AnsweredBy = picture.NodeName };
        foreach (var status in picture.Groups.OrderBy(g => g.Id.Value)) report.Groups_.Add(Group(picture, status));
        return report;
    }

    static Group Group(ClusterPicture picture, GroupStatus status)
    {
        var group = new Group
        {
            Id = status.Id.Value,
            Name = NameOf(picture, status.Id),
            Role = status.Role.ToString(),
            Term = status.Term,
            Leader = status.Leader.Value,
            LeaderName = NameOf(picture, status.Leader),
            CommitIndex = status.CommitIndex,
            AppliedIndex = status.AppliedIndex,
            FirstIndex = status.FirstIndex,
            LastIndex = status.LastIndex,
            LogBytes = (ulong)status.LogBytes,
            SnapshotIndex = status.SnapshotIndex,
            SnapshotBytes = (ulong)status.SnapshotBytes,
            AppliedEntries = status.AppliedEntries,
            Suspicion = status.Suspicion?.ToString() ?? "",
        };
        group.Voters.AddRange(status.Voters.Select(v => v.Value));
        return group;
    }

    public static Partitions Partitions(ClusterPicture picture)
    {
        var report = new Partitions { Version = picture.Map?.Version ?? 0, ReplicationFactor = (uint)(picture.Map?.ReplicationFactor ?? 0) };
        foreach (var partition in picture.Map?.Partitions ?? []) report.Partitions_.Add(Partition(picture, partition));
        return report;
    }

    static PartitionInfo Partition(ClusterPicture picture, PartitionView partition)
    {
        var leader = picture.LeaderOf(partition);
        var info = new PartitionInfo
        {
            Partition = new Protocol.Membership.Partition
            {
                Id = partition.Id,
                FirstHash = partition.FirstHash,
                Group = partition.Group.Value,
                Generation = partition.Generation,
                ReplicasVersion = partition.ReplicasVersion,
            },
            Leader = leader.Uid.Value,
            LeaderName = NameOf(picture, leader.Uid),
            LeaderAddress = picture.Membership.Find(leader.Uid)?.Address ?? "",
            Term = leader.Term,
        };
        info.Partition.Replicas.AddRange(partition.Replicas.Select(r => r.Value));
        info.Partition.Holders.AddRange(partition.Holders.Select(h => h.Value));
        info.ReplicaNames.AddRange(partition.Replicas.Select(r => NameOf(picture, r)));
        return info;
    }

    static string NameOf(ClusterPicture picture, NodeUid uid)
    {
        if (uid.IsNone) return "";
        return picture.Membership.Find(uid) is { Name.Length: > 0 } member ? member.Name : uid.ToString();
    }

    static string NameOf(ClusterPicture picture, GroupId group)
    {
        if (group == GroupId.Coordinator) return "coordinator";
        var id = picture.Map?.ByGroup(group)?.Id ?? group.Value - GroupId.FirstPartition;
        return string.Create(CultureInfo.InvariantCulture, $"partition {id}");
    }
}
