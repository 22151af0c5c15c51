using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft;

// Suspect replicas: a part of the own log was damaged, so this replica may lack entries that it acknowledged (faults A15). It follows, but
// neither votes nor stands for election, and the leader does not count it, until it holds all that it may ever have held.
// That is known when its durable log equals the log of the leader of its term up to where that leader's log ended after it was
// asked (the inquiry is a number drawn at this start, so no older message answers it). Why this is enough: whatever this
// replica acknowledged, it acknowledged in a term not above its own, which it has not forgotten. If the leader that is asked is the one that
// got the acknowledgement, the entry was in its log before that. If it leads a later term, its log holds every entry that is
// committed with the help of that acknowledgement (paper, section 5.4.3: this replica voted in between only with that entry, or
// not at all).
public sealed partial class RaftNode
{
    Suspicion? _suspicion;

    /// <summary>What the leader is to answer; 0 when this replica is not suspect.</summary>
    ulong _inquiry;

    /// <summary>The answer of the leader of this term: a durable log that equals its own up to here is complete.</summary>
    ulong? _completeAt;

    bool _trustUnwritten;

    /// <summary>Why this replica may lack something that it promised; null when it does not.</summary>
    public Suspicion? Suspicion => _suspicion;

    public bool IsSuspect => _suspicion is not null;

    void BeginSuspect(Suspicion? suspicion)
    {
        _suspicion = suspicion;
        if (suspicion is not null) _inquiry = _random.NextUInt64() | 1;
    }

    /// <summary>The leader says where its log ended when it heard the inquiry, or later.</summary>
    void TakeAnswer(AppendRequest request)
    {
        // Without its term and vote the argument above does not hold: nothing that a leader sends can make up for that.
        if (_inquiry == 0 || request.Inquiry != _inquiry || _suspicion is { TermIsLost: true }) return;
        _completeAt ??= request.LastIndex;
    }

    /// <summary>The log is durable, and equal to the leader's, up to an index.</summary>
    void TrustIfComplete(ulong durableMatch)
    {
        if (_completeAt is not { } end || durableMatch < end) return;
        _suspicion = null;
        _inquiry = 0;
        _completeAt = null;
        _trustUnwritten = true;
    }

    /// <summary>Leader: a follower says whether it is suspect. What it acknowledged before counts no more, and it is to be answered.</summary>
    void NoteInquiry(ulong inquiry, Progress from)
    {
        if (inquiry == from.Inquiry) return;
        from.Inquiry = inquiry;
        if (inquiry == 0) return;
        from.Distrust();
        _maySend = true;
    }
}
