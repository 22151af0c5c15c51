namespace ActorCluster.Simulation.Groups;

/// <summary>
/// Faults that others shipped, put back in on purpose: a harness that does not find them proves nothing (faults F4).
/// They live in the simulated shell; the product has no such switch.
/// </summary>
public enum InjectedFault
{
    None,

    /// <summary>Storage reports a write as durable before the sync (faults A1 to A3).</summary>
    AcknowledgeBeforeSync,

    /// <summary>A restarted replica does not remember whom it voted for in its term (J01).</summary>
    ForgetVoteOnRestart,

    /// <summary>A leader answers reads from its own state without asking a majority (C1 to C4).</summary>
    ReadWithoutQuorum,

    /// <summary>A new leader answers reads before it has committed an entry of its own term (C1).</summary>
    ReadBeforeOwnCommit,

    /// <summary>The state machine executes a repeated request again (E11).</summary>
    NoSessionDeduplication,

    /// <summary>A waiting proposal is woken by its index alone, whatever entry was committed there (J08).</summary>
    WakeByIndexOnly,

    /// <summary>Sessions are not part of snapshots (E12).</summary>
    SnapshotWithoutSessions,

    /// <summary>A write that was lost with its leadership is reported as certainly not executed (J06).</summary>
    ReportLostLeadershipAsNotExecuted,

    /// <summary>A replica whose log was damaged votes and stands for election as if it had lost nothing (A15).</summary>
    TrustDamagedLog,

    /// <summary>A leader commits an entry of an older term by counting replicas (paper, figure 8; faults B5).</summary>
    CommitOldTermByCounting,
}
