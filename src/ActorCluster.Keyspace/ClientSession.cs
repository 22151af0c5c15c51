using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace;

/// <summary>
/// The client's side of a session: hands out sequences to requests that are in flight side by side and keeps the lowest
/// one that still waits. Pure; one caller at a time.
/// Invariant: LowestPending ≤ every sequence in flight, and newest − LowestPending &lt; window, so a partition never refuses
/// a sequence for its window.
/// </summary>
/// <param name="sessionId">As the partition gave it.</param>
/// <param name="window">Most sequences between the lowest pending and the newest.</param>
public sealed class ClientSession(ulong sessionId, int window = (int)SessionTable.Window)
{
    readonly bool[] _ended = new bool[window];

    public ulong SessionId => sessionId;

    /// <summary>The sequence that the next request gets.</summary>
    public ulong Next { get; private set; } = 1;

    /// <summary>Every sequence below has ended.</summary>
    public ulong LowestPending { get; private set; } = 1;

    public bool IsIdle => LowestPending == Next;

    /// <summary>Begins a request; false when the window is full, that is when the oldest one has been waiting for too long.</summary>
    public bool TryBegin(out ulong sequence)
    {
        sequence = Next;
        if (Next - LowestPending >= (ulong)_ended.Length) return false;
        Next++;
        return true;
    }

    /// <summary>The reference to send with (another attempt of) a request: what is acknowledged may have risen since the last.</summary>
    public SessionRef Reference(ulong sequence) => new() { SessionId = sessionId, Sequence = sequence, LowestPending = LowestPending };

    /// <summary>Ends a request: its answer arrived, or nobody waits for it any more. Called once for each.</summary>
    public void End(ulong sequence)
    {
        Invariant.Check(sequence >= LowestPending && sequence < Next, $"session {sessionId} ends sequence {sequence} outside [{LowestPending}, {Next})");
        ref var ended = ref _ended[(int)(sequence % (ulong)_ended.Length)];
        Invariant.Check(!ended, $"session {sessionId} ends sequence {sequence} twice");
        ended = true;
        while (LowestPending < Next)
        {
            ref var lowest = ref _ended[(int)(LowestPending % (ulong)_ended.Length)];
            if (!lowest) break;
            lowest = false;
            LowestPending++;
        }
    }
}
