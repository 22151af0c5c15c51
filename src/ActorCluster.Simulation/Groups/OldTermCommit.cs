using System.Reflection;
using ActorCluster.Raft;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// The injected fault of figure 8: moves a leader's commit index to what a quorum holds, whatever its term. It reaches
/// into the core from outside, so that the product carries no switch for it; a renamed member fails loudly.
/// </summary>
static class OldTermCommit
{
    const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    static readonly FieldInfo Members = Field("_members");
    static readonly FieldInfo Log = Field("_log");
    static readonly MethodInfo CommittedIndex = Method(Members.FieldType, "CommittedIndex");
    static readonly MethodInfo CommitTo = Method(Log.FieldType, "CommitTo");

    public static void Apply(RaftNode core)
    {
        if (core.Role != RaftRole.Leader) return;
        var onQuorum = (ulong)CommittedIndex.Invoke(Members.GetValue(core), null)!;
        if (onQuorum > core.CommitIndex) CommitTo.Invoke(Log.GetValue(core), [onQuorum]);
    }

    static FieldInfo Field(string name) =>
        typeof(RaftNode).GetField(name, Hidden) ?? throw new MissingFieldException(nameof(RaftNode), name);

    static MethodInfo Method(Type type, string name) =>
        type.GetMethod(name, Hidden) ?? throw new MissingMethodException(type.Name, name);
}
