namespace ActorCluster.Raft.Storage.Offline;

/// <summary>What is in a data directory, for people and for scripts. Uids are hexadecimal text.</summary>
/// <param name="Directory">The data directory.</param>
/// <param name="InUse">A running node holds the directory's lock: what was read may be in the middle of a change.</param>
/// <param name="Segments">The log's files, oldest first.</param>
/// <param name="Groups">What the log holds of each group.</param>
/// <param name="Damages">What cannot be read, by name.</param>
/// <param name="HasTornTail">Behind the last whole batch are writes that no sync covered; the next start cuts them.</param>
public sealed record StorageReport(
    string Directory,
    bool InUse,
    IReadOnlyList<SegmentReport> Segments,
    IReadOnlyList<GroupReport> Groups,
    IReadOnlyList<DamageReport> Damages,
    bool HasTornTail);

/// <param name="File">Name of the file.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Records">Records that can be read.</param>
/// <param name="Groups">Groups that have records in it.</param>
public sealed record SegmentReport(string File, long Bytes, int Records, IReadOnlyList<ulong> Groups);

/// <param name="Id">The group.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Term">Current term.</param>
/// <param name="Vote">Whom it voted for in it; empty when nobody.</param>
/// <param name="Commit">The commit index as last noted: a hint.</param>
/// <param name="FirstIndex">First entry held; 0 when none.</param>
/// <param name="LastIndex">Where the log ends: the last entry, or the snapshot.</param>
/// <param name="LastTerm">Its term.</param>
/// <param name="EntryBytes">Payload bytes of the entries held.</param>
/// <param name="Terms">The terms of the entries, in order.</param>
/// <param name="Configs">The configurations: that of the snapshot or the first one, then those in the log.</param>
/// <param name="Snapshot">The newest snapshot; null when there is none.</param>
/// <param name="Suspicion">Why the replica is suspect, or will be at the next start; empty when it is not.</param>
/// <param name="ForcedRecovery">Who gave it another configuration by hand, when and why; empty when nobody did.</param>
public sealed record GroupReport(
    ulong Id,
    string Name,
    ulong Term,
    string Vote,
    ulong Commit,
    ulong FirstIndex,
    ulong LastIndex,
    ulong LastTerm,
    long EntryBytes,
    IReadOnlyList<TermRange> Terms,
    IReadOnlyList<ConfigReport> Configs,
    SnapshotReport? Snapshot,
    string Suspicion,
    string ForcedRecovery);

/// <summary>Entries of one term.</summary>
public sealed record TermRange(ulong Term, ulong First, ulong Last);

/// <param name="Index">Index of the entry; of the snapshot or 0 for the first.</param>
/// <param name="Voters">Who votes.</param>
/// <param name="OutgoingVoters">Who votes beside them while the configuration is joint.</param>
/// <param name="Learners">Who gets the log without a vote.</param>
public sealed record ConfigReport(ulong Index, IReadOnlyList<string> Voters, IReadOnlyList<string> OutgoingVoters, IReadOnlyList<string> Learners);

/// <param name="File">Name of the file.</param>
/// <param name="Index">The state after this entry.</param>
/// <param name="Term">Its term.</param>
/// <param name="Bytes">Bytes of content.</param>
public sealed record SnapshotReport(string File, ulong Index, ulong Term, ulong Bytes);

/// <param name="File">Name of the file.</param>
/// <param name="Offset">Byte offset in it.</param>
/// <param name="Group">Whose it was; null when that cannot be known.</param>
/// <param name="Index">Index of the entry; null when it is none or cannot be known.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record DamageReport(string File, long Offset, ulong? Group, ulong? Index, string Reason);
