using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

/// <summary>
/// What a group replicates. One caller at a time. The applied index is part of its own atomic state: a snapshot is
/// "the state after entry n", never a state and an n kept apart (faults A4).
/// </summary>
public interface IStateMachine
{
    /// <summary>Index of the last entry applied; 0 before the first.</summary>
    ulong AppliedIndex { get; }

    /// <summary>
    /// Applies a committed entry; called once per entry, in log order, for every kind of entry (a no-op or a
    /// configuration only moves <see cref="AppliedIndex"/>). A pure function of the log: no clock, no chance, no
    /// refusal for local reasons.
    /// </summary>
    /// <returns>What the proposer gets, or null.</returns>
    object? Apply(Entry entry);

    /// <summary>A consistent picture of the state as it is now, cheap to take; written out while applying goes on.</summary>
    IStateSnapshot Capture();

    /// <summary>Replaces the whole state by what a snapshot wrote.</summary>
    /// <exception cref="System.IO.InvalidDataException">The stream is not a snapshot of this state machine.</exception>
    void Restore(Stream snapshot);
}

/// <summary>A captured state. <see cref="WriteTo"/> may run on another thread while the state machine goes on.</summary>
public interface IStateSnapshot
{
    /// <summary>The applied index it stands for.</summary>
    ulong AppliedIndex { get; }

    void WriteTo(Stream output);
}
