using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft;

/// <summary>
/// One write that a core asked for, with the promises that may leave only once it is durable (as etcd's asynchronous
/// storage writes). Given back to <see cref="RaftNode.Durable"/> as it is.
/// </summary>
public sealed class StorageWrite
{
    internal StorageWrite(ulong sequence, LogWrite log, HardState hardState, ulong lastIndex, ulong lastTerm)
    {
        Sequence = sequence;
        Log = log;
        HardState = hardState;
        LastIndex = lastIndex;
        LastTerm = lastTerm;
        ReachesTo = lastIndex;
    }

    /// <summary>Counts the writes of a core from 1, without gaps.</summary>
    public ulong Sequence { get; }

    /// <summary>What to write.</summary>
    public LogWrite Log { get; }

    /// <summary>The hard state that holds once this is durable.</summary>
    internal HardState HardState { get; }

    /// <summary>The log's end when the write was made: with this write, everything up to here is on its way to disk.</summary>
    internal ulong LastIndex { get; }

    internal ulong LastTerm { get; }

    /// <summary>
    /// The highest index of the log *as it is now* that is durable once this write is. Lowered when the log is truncated
    /// while the write is under way: an entry that came, went and came back is durable only with its last write (the ABA
    /// race of asynchronous writes).
    /// </summary>
    internal ulong ReachesTo { get; set; }

    /// <summary>Messages that promise something that this write makes durable.</summary>
    internal List<RaftMessage> Promises { get; } = [];

    /// <summary>The tick at which it was handed out.</summary>
    internal long HandedAtTick { get; init; }
}
