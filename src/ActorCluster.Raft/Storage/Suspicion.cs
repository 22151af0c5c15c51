namespace ActorCluster.Raft.Storage;

/// <summary>
/// Why a replica may lack something that it promised. Such a replica neither votes nor stands for election nor counts for
/// commit until a leader has brought it up to what it may have held (<see cref="RaftNode.IsSuspect"/>).
/// </summary>
/// <param name="Reason">What was found, where, and of which group and index as far as that can be known.</param>
/// <param name="TermIsLost">
/// Term and vote cannot be known either, because their second copy is gone too. No leader can give them back: this replica never
/// votes again and has to be replaced.
/// </param>
public sealed record Suspicion(string Reason, bool TermIsLost = false)
{
    /// <summary>Longest reason kept, in characters.</summary>
    public const int MaxReasonChars = 500;

    public override string ToString() => TermIsLost ? Reason + "; term and vote are lost too: replace this replica" : Reason;
}
