using ActorCluster.Protocol;

namespace ActorCluster.Raft.Actors;

// Linearizable reads: all that arrived before a flush share one confirmation.
sealed partial class RaftGroupActor
{
    readonly Dictionary<ulong, List<PendingRead>> _confirming = [];
    readonly List<(ulong Index, List<PendingRead> Reads)> _confirmed = [];
    readonly Stack<List<PendingRead>> _spareLists = new();
    List<PendingRead> _openReads = [];

    /// <summary>Starts at random: an answer to a read of an earlier life of this node must not match one of this life (faults C2).</summary>
    ulong _nextReadId;

    void QueueRead(PendingRead read) => _openReads.Add(read);

    void BeginReads()
    {
        if (_openReads.Count == 0) return;
        var id = _nextReadId++;
        _confirming.Add(id, _openReads);
        _openReads = _spareLists.TryPop(out var spare) ? spare : [];
        _core.ReadIndex(id);
    }

    void FinishRead(FinishedRead finished)
    {
        if (!_confirming.Remove(finished.ReadId, out var reads)) return;
        if (!finished.Rejected)
        {
            _confirmed.Add((finished.Index, reads));
            return;
        }

        var error = _core.Leader.IsNone ? ErrorCode.NoQuorum : ErrorCode.NotLeader;
        RefuseAll(reads, error, _core.Leader.IsNone ? NoLeader : "the leader did not confirm the read");
    }

    /// <summary>Runs the confirmed reads whose index is applied.</summary>
    void RunReads()
    {
        for (var i = 0; i < _confirmed.Count; i++)
        {
            var (index, reads) = _confirmed[i];
            if (index > _core.AppliedIndex) continue;
            foreach (var read in reads)
            {
                _handle.Release(read);
                read.Run(_stateMachine, index);
            }

            Recycle(reads);
            _confirmed.RemoveAt(i--);
        }
    }

    void RefuseReads(ErrorCode error, string message)
    {
        RefuseAll(_openReads, error, message);
        _openReads = [];
        foreach (var reads in _confirming.Values) RefuseAll(reads, error, message);
        foreach (var (_, reads) in _confirmed) RefuseAll(reads, error, message);
        _confirming.Clear();
        _confirmed.Clear();
    }

    void RefuseAll(List<PendingRead> reads, ErrorCode error, string message)
    {
        foreach (var read in reads)
        {
            _handle.Release(read);
            read.Refuse(error, _core.Leader, message);
        }

        Recycle(reads);
    }

    void Recycle(List<PendingRead> reads)
    {
        reads.Clear();
        if (_spareLists.Count < 4) _spareLists.Push(reads);
    }
}
