namespace ActorCluster.Raft.Storage;

/// <summary>
/// The one log of a node, shared by all its groups. One caller at a time (the writer thread, or the simulation).
/// Any exception from <see cref="Append"/> or <see cref="Sync"/> is final: the node stops, nothing is retried
/// (a failed fsync may have dropped the pages it failed to write).
/// </summary>
public interface INodeLog : IDisposable
{
    /// <summary>What the log held when it was opened.</summary>
    IReadOnlyList<RecoveredGroup> Recovered { get; }

    /// <summary>Writes a batch. Not durable before the next <see cref="Sync"/> returned.</summary>
    /// <exception cref="DiskFullException">
    /// All that was reserved is used up and there is no room for more. The one exception that is not final: nothing of the batch was
    /// written, and it may be tried again.
    /// </exception>
    void Append(IReadOnlyList<LogWrite> batch);

    /// <summary>Makes everything appended so far durable, and releases files that no group needs any more.</summary>
    void Sync();

    /// <summary>
    /// For an orderly stop: syncs, and records that everything is durable, so that the next start can tell damage of the
    /// last batch from a torn tail.
    /// </summary>
    void Seal();

    /// <summary>
    /// No room could be reserved for the segment after this one: what goes on in this one is the reserve for elections and for what is
    /// in flight. Safe from any thread.
    /// </summary>
    bool IsShortOfSpace => false;

    /// <summary>The reserve itself is half gone. Safe from any thread.</summary>
    bool IsNearlyOutOfSpace => false;

    /// <summary>Tries again to reserve room, when there was none.</summary>
    void Reserve()
    {
    }

    /// <summary>Bytes on disk, for people. Safe from any thread.</summary>
    long SizeBytes { get; }
}
