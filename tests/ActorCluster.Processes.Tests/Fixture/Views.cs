using System.Text.Json;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>A replica of a group, as GET /v1/groups shows it.</summary>
sealed record GroupView(
    ulong Id,
    string Name,
    string Role,
    ulong Term,
    string LeaderName,
    ulong CommitIndex,
    ulong AppliedIndex,
    ulong FirstIndex,
    ulong LastIndex,
    ulong SnapshotIndex,
    ulong AppliedEntries)
{
    public bool IsPartition => Name.StartsWith("partition", StringComparison.Ordinal);

    public bool Leads => Role == "Leader";

    public static IReadOnlyList<GroupView>? From(Answer answer)
    {
        if (!answer.IsOk) return null;
        using var json = JsonDocument.Parse(answer.Body);
        return
        [
            .. json.RootElement.GetProperty("groups").EnumerateArray().Select(g => new GroupView(
                g.GetProperty("id").GetUInt64(),
                g.GetProperty("name").GetString()!,
                g.GetProperty("role").GetString()!,
                g.GetProperty("term").GetUInt64(),
                g.GetProperty("leaderName").GetString()!,
                g.GetProperty("commitIndex").GetUInt64(),
                g.GetProperty("appliedIndex").GetUInt64(),
                g.GetProperty("firstIndex").GetUInt64(),
                g.GetProperty("lastIndex").GetUInt64(),
                g.GetProperty("snapshotIndex").GetUInt64(),
                g.GetProperty("appliedEntries").GetUInt64())),
        ];
    }
}

/// <summary>The replicas of a partition, as GET /v1/partitions shows them: uids; settled when no change of them is under way.</summary>
sealed record PartitionReplicas(IReadOnlyList<string> Replicas, bool IsSettled)
{
    public static IReadOnlyList<PartitionReplicas>? From(Answer answer)
    {
        if (!answer.IsOk) return null;
        using var json = JsonDocument.Parse(answer.Body);
        return
        [
            .. json.RootElement.GetProperty("partitions").EnumerateArray().Select(p => p.GetProperty("partition")).Select(p => new PartitionReplicas(
                [.. p.GetProperty("replicas").EnumerateArray().Select(r => r.GetString()!)],
                p.GetProperty("holders").GetArrayLength() == 0)),
        ];
    }
}

/// <summary>The members, as GET /v1/members shows them.</summary>
sealed record MembersView(string ClusterId, bool Formed, IReadOnlyList<(string Name, string Uid, string State)> Members)
{
    public static MembersView? From(Answer answer)
    {
        if (!answer.IsOk) return null;
        using var json = JsonDocument.Parse(answer.Body);
        var root = json.RootElement;
        return new MembersView(
            root.GetProperty("clusterId").GetString()!,
            root.GetProperty("formed").GetBoolean(),
            [
                .. root.GetProperty("members").EnumerateArray().Select(m =>
                    (m.GetProperty("name").GetString()!, m.GetProperty("uid").GetString()!, m.GetProperty("state").GetString()!)),
            ]);
    }
}
