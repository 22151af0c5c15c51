namespace ActorCluster.Raft;

/// <summary>The role of a replica (Raft paper, section 5.1; PreCandidate: thesis, section 9.6; Learner: section 4.2.1).</summary>
public enum RaftRole
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
    Learner,
}
