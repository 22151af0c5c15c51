using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Storage;

/// <param name="SegmentBytes">Size to which a segment is preallocated. One batch larger than it gets a segment of its own size.</param>
public sealed record NodeLogOptions(long SegmentBytes = 64 * 1024 * 1024);

/// <summary>
/// The node-wide log in segment files (format: <see cref="LogFormat"/>; recovery: <see cref="LogRecovery"/>).
/// A segment begins with a table of all groups, so that an older one is needed only for the entries that live in it;
/// it goes once no group has any there, oldest first, and only after the records that say so are durable (fault A13).
/// An idle group, which has no reason to take a snapshot, would hold its old segment and all after it: when segments have
/// begun since, its entries are written again at the head of the next one.
/// </summary>
public sealed class NodeLog : INodeLog
{
    /// <summary>Batches stay below this so that their length fits a signed 32-bit field with room.</summary>
    const long MaxBatchBytes = 1L << 30;

    /// <summary>A group whose oldest entry is this many segments behind the new one has its entries carried over.</summary>
    const int CarryAfterSegments = 3;

    /// <summary>The share of a segment that carried entries may take, at most.</summary>
    const int CarryShare = 4;

    /// <summary>Of entries that are written again after damage: what goes into one batch.</summary>
    const long RewriteBatchBytes = 64 * 1024 * 1024;

    const string UnfinishedExtension = ".new";
    const string DamagedExtension = ".damaged";
    internal const string VotesDirectory = "votes";

    readonly IFileSystem _files;
    readonly string _directory;
    readonly NodeLogOptions _options;
    readonly BatchEncoder _encoder = new();
    readonly SortedDictionary<GroupId, GroupTail> _groups = [];
    readonly SortedDictionary<ulong, long> _segments = [];
    readonly SortedSet<GroupId> _changedVotes = [];
    VoteCopy? _votes;
    IStorageFile? _spare;
    volatile bool _shortOfSpace;
    volatile bool _nearlyOutOfSpace;
    IStorageFile? _file;
    LogPosition _end;
    LogPosition _durable;
    LogPosition _named;
    LogPosition _marked;
    ulong _nextBatch;
    bool _mayRelease;
    bool _sealed;
    Exception? _failure;
    long _sizeBytes;

    NodeLog(IFileSystem files, string directory, NodeLogOptions options)
    {
        _files = files;
        _directory = directory;
        _options = options;
    }

    public IReadOnlyList<RecoveredGroup> Recovered { get; private set; } = [];

    /// <summary>What could not be read when it was opened. The groups that it concerns are suspect; the rest goes on.</summary>
    public IReadOnlyList<LogDamage> Damages { get; private set; } = [];

    public long SizeBytes => Volatile.Read(ref _sizeBytes);

    /// <summary>
    /// Up to here the log itself says that it was durable: damage before this place is never taken for a torn tail. What lies behind it is
    /// the last batch, until another one or a seal follows.
    /// </summary>
    public (string Segment, long Offset) MarkedEnd => (LogFormat.SegmentName(_marked.Segment), _marked.Offset);

    public bool IsShortOfSpace => _shortOfSpace;

    public bool IsNearlyOutOfSpace => _nearlyOutOfSpace;

    /// <summary>
    /// Opens the log of a directory, creating both where needed, and cuts a torn tail off, durably. After damage
    /// (<see cref="Damages"/>) what is left is written again, and the damaged segments are put aside.
    /// </summary>
    /// <exception cref="LogDamagedException">So much is damaged that a group cannot even be named. Nothing was changed.</exception>
    /// <exception cref="UnsupportedFormatException">Another version wrote it. Nothing was changed.</exception>
    public static NodeLog Open(IFileSystem files, string directory, NodeLogOptions? options = null)
    {
        var log = new NodeLog(files, directory, options ?? new NodeLogOptions());
        try
        {
            log.Open();
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Is there a log in the directory?</summary>
    public static bool Exists(IFileSystem files, string directory) =>
        files.ListFiles(directory).Any(name => LogFormat.TryParseSegmentName(name, out _));

    /// <summary>Numbers of the segments in a directory, oldest first.</summary>
    internal static List<ulong> SegmentsOf(IFileSystem files, string directory)
    {
        var sequences = new List<ulong>();
        foreach (var name in files.ListFiles(directory))
        {
            if (LogFormat.TryParseSegmentName(name, out var sequence)) sequences.Add(sequence);
        }

        return sequences;
    }

    /// <summary>Forced recovery (<see cref="Offline.ForcedRecovery"/>): this replica alone votes from the next entry on. Durable after <see cref="Sync"/>.</summary>
    /// <returns>Index of the entry that says so, and the new term.</returns>
    internal (ulong Index, ulong Term) RecoverAlone(GroupId group, NodeUid self, string note)
    {
        CheckUsable();
        var tail = _groups[group];
        var term = Math.Max(tail.HardState.Term, tail.LastTerm) + Offline.ForcedRecovery.TermStep;
        var config = GroupConfigs.Of([self], []);
        var entry = new Entry { Index = tail.Last + 1, Term = term, Kind = EntryKind.Config, Payload = config.ToByteString() };
        tail.ForcedRecovery = note;
        tail.Suspicion = null;
        tail.HardState = new HardState(term, NodeUid.None, tail.HardState.Commit);
        MakeRoom(TableBound(tail) + BatchEncoder.SizeBound(new LogWrite(group, tail.HardState, [entry])), newGroups: 0);
        _encoder.Begin(_end.Segment, _end.Offset);
        _encoder.Suspicion(group, suspicion: null);
        _encoder.ForcedRecovery(group, note);
        _encoder.HardState(group, tail.HardState);
        _encoder.Entry(group, entry);
        Invariant.Check(tail.TryAppend(entry, _end.Segment), $"group {group}: entry {entry.Index} leaves a gap after {tail.Last}");
        _changedVotes.Add(group);
        WriteBatch();
        return (entry.Index, term);
    }

    public void Append(IReadOnlyList<LogWrite> batch)
    {
        CheckUsable();
        if (batch.Count == 0) return;
        long records = 0;
        var created = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            records += BatchEncoder.SizeBound(batch[i]);
            if (batch[i].Config is not null) created++;
        }

        MakeRoom(records, created);
        try
        {
            _encoder.Begin(_end.Segment, _end.Offset);
            for (var i = 0; i < batch.Count; i++) Encode(batch[i]);
            WriteBatch();
            _sealed = false;
        }
        catch (Exception e)
        {
            _failure = e;
            throw;
        }
    }

    public void Sync()
    {
        CheckUsable();
        if (_durable == _end) return;
        try
        {
            _file!.Sync();
            _durable = _end;
            _marked = _named;
            CopyVotes();
            if (_mayRelease) ReleaseSegments();
        }
        catch (Exception e)
        {
            _failure = e;
            throw;
        }
    }

    /// <summary>
    /// Brings a group's log back to nothing, suspect: what it was to follow (its snapshot) cannot be read. Durable after
    /// <see cref="Sync"/>.
    /// </summary>
    internal RecoveredGroup StartOver(GroupId group, Suspicion suspicion)
    {
        CheckUsable();
        var tail = _groups[group];
        tail.LoseSnapshot();
        tail.Suspicion = tail.Suspicion is { TermIsLost: true } before ? before : suspicion;
        tail.HardState = tail.HardState with { Commit = 0 };
        MakeRoom(TableBound(tail) + LogFormat.RecordHeaderBytes, newGroups: 0);
        _encoder.Begin(_end.Segment, _end.Offset);
        _encoder.Delete(group);
        EncodeTable(tail);
        WriteBatch();
        return new RecoveredGroup(group, tail.HardState, tail.Config, Snapshot: null, [], tail.Suspicion);
    }

    public void Seal()
    {
        CheckUsable();
        Sync();
        if (_sealed) return;
        try
        {
            // An empty batch: it names the position that is durable now, so that from here on the last batch with
            // content can be told apart from a torn tail, too.
            if (_end.Offset + LogFormat.SectorBytes > _segments[_end.Segment]) return;
            _encoder.Begin(_end.Segment, _end.Offset);
            WriteBatch();
            _sealed = true;
        }
        catch (Exception e)
        {
            _failure = e;
            throw;
        }
        Sync();
    }

    public void Dispose()
    {
        _file?.Dispose();
        _spare?.Dispose();
        _votes?.Dispose();
    }

    public void Reserve()
    {
        CheckUsable();
        if (_spare is not null) return;
        try
        {
            _spare = _files.Open(SparePath, FileOpening.Create);
            _spare.Preallocate(_options.SegmentBytes);
            _shortOfSpace = _nearlyOutOfSpace = false;
        }
        catch (DiskFullException)
        {
            DropSpare();
            _shortOfSpace = true;
        }

        CountBytes();
    }

    /// <summary>What was reserved in part is given back: others may need it more.</summary>
    void DropSpare()
    {
        _spare?.Dispose();
        _spare = null;
        if (_files.FileExists(SparePath)) _files.Delete(SparePath);
    }

    /// <summary>Makes room for a batch, in the next segment if need be.</summary>
    /// <exception cref="DiskFullException">There is none; nothing was changed.</exception>
    void MakeRoom(long recordBytes, int newGroups)
    {
        var bound = BatchEncoder.BatchBound(recordBytes);
        try
        {
            Invariant.Check(bound <= MaxBatchBytes, $"a batch of {bound} bytes is above the limit of {MaxBatchBytes}");
            _votes!.Reserve(newGroups);
            if (_end.Offset + bound > _segments[_end.Segment]) Rotate(bound);
            _nearlyOutOfSpace = _shortOfSpace && _end.Offset + bound > _segments[_end.Segment] / 2;
        }
        catch (Exception e) when (e is not DiskFullException)
        {
            _failure = e;
            throw;
        }
    }

    void Open()
    {
        _files.CreateDirectory(_directory);
        var sequences = SegmentsOf(_files, _directory);
        var unfinished = _files.ListFiles(_directory).Where(name => name.EndsWith(UnfinishedExtension, StringComparison.Ordinal));

        _votes = VoteCopy.Open(_files, Path.Combine(_directory, VotesDirectory));
        if (sequences.Count == 0)
        {
            _nextBatch = 1;
            StartSegment(sequence: 1, batchBound: 0, standsAlone: false);
            return;
        }

        var recovery = new LogRecovery(_files, _directory, _votes);
        recovery.Run(sequences);
        Recovered = recovery.ToGroups();
        Damages = [.. recovery.Damages, .. _votes.Damages];
        foreach (var tail in recovery.Tails) _groups.Add(tail.Group, tail);
        foreach (var (sequence, length) in recovery.Segments) _segments.Add(sequence, length);
        _end = _durable = recovery.End;
        _nextBatch = recovery.NextBatch;

        // Only now is it known that the log can go on; from here on the directory is changed.
        foreach (var name in unfinished) _files.Delete(Path.Combine(_directory, name));
        _files.SyncDirectory(_directory);
        foreach (var sequence in recovery.Superseded) _files.Delete(SegmentPath(sequence));
        if (recovery.Superseded.Count > 0) _files.SyncDirectory(_directory);

        if (recovery.Damages.Count > 0) Rewrite(recovery);
        else GoOn(recovery);
        _votes.RepairHeader();
        _changedVotes.UnionWith(_groups.Keys);
        _changedVotes.UnionWith(_votes.Groups);
        CopyVotes();
    }

    /// <summary>Goes on in the last segment.</summary>
    void GoOn(LogRecovery recovery)
    {
        _file = _files.Open(SegmentPath(_end.Segment), FileOpening.ReadWrite);
        if (recovery.HasTornTail)
        {
            // Gone before anything is appended: an old record behind a new one must never be read as its successor (A10).
            // Overwritten, because a shorter file would give back its room.
            ClearBehindEnd(_file);
            _file.Sync();
        }
        // What was read may have come from memory and not from the disk: a process that died before its sync leaves
        // written pages and names behind. Recovered state is acted upon, so it is made durable first (fault A1).
        _file.Sync();
        _segments[_end.Segment] = _file.Length;
        ReleaseSegments();
        Reserve();

        // What this version writes does not go into a segment that says it is of another one.
        if (recovery.LastVersion != LogFormat.Version) Rotate(batchBound: 0);
        else Seal();
    }

    void ClearBehindEnd(IStorageFile file)
    {
        var reader = new SegmentReader(file);
        var zeros = new byte[LogFormat.SectorBytes];
        for (var offset = _end.Offset; offset < reader.Length; offset += LogFormat.SectorBytes)
        {
            var sector = reader.Read(offset, LogFormat.SectorBytes);
            if (sector.ContainsAnyExcept((byte)0)) file.Write(offset, zeros.AsSpan(0, sector.Length));
        }
    }

    /// <summary>
    /// Writes everything that is left into a segment that needs none before it, so that the damage is met once and not again after
    /// the groups were repaired. The damaged segments are kept under another name until the next damage.
    /// </summary>
    void Rewrite(LogRecovery recovery)
    {
        var damaged = recovery.Damages.Select(d => d.File).ToHashSet(StringComparer.Ordinal);
        var replaced = _segments.Keys.ToList();
        foreach (var name in _files.ListFiles(_directory))
        {
            if (name.EndsWith(DamagedExtension, StringComparison.Ordinal)) _files.Delete(Path.Combine(_directory, name));
        }

        StartSegment(_end.Segment + 1, batchBound: 0, standsAlone: true);
        foreach (var sequence in replaced)
        {
            var path = SegmentPath(sequence);
            if (damaged.Contains(LogFormat.SegmentName(sequence))) _files.Rename(path, path + DamagedExtension);
            else _files.Delete(path);
            _segments.Remove(sequence);
        }

        _files.SyncDirectory(_directory);
        CountBytes();
    }

    /// <summary>
    /// Brings the second copy up to what the log says and is durable there. A group whose term was lost gets none: what is known of it
    /// is not to be trusted by a later recovery either.
    /// </summary>
    void CopyVotes()
    {
        foreach (var group in _changedVotes)
        {
            if (!_groups.TryGetValue(group, out var tail)) _votes!.Remove(group);
            else if (tail.Suspicion is not { TermIsLost: true }) _votes!.Write(group, tail.HardState.Term, tail.HardState.Vote, tail.Config);
        }

        _changedVotes.Clear();
        _votes!.Sync();
    }

    void Encode(LogWrite write)
    {
        if (write.Delete)
        {
            Invariant.Check(_groups.Remove(write.Group), $"group {write.Group} is deleted but not in the log");
            _encoder.Delete(write.Group);
            _changedVotes.Add(write.Group);
            _mayRelease = true;
            return;
        }

        if (!_groups.TryGetValue(write.Group, out var tail))
        {
            Invariant.Check(write.Config is not null, $"the first write of group {write.Group} has no configuration");
            tail = new GroupTail(write.Group, write.Config);
            _groups.Add(write.Group, tail);
            _changedVotes.Add(write.Group);
            _encoder.Create(write.Group, write.Config);
        }

        if (write.Trusted && tail.Suspicion is not null)
        {
            Invariant.Check(!tail.Suspicion.TermIsLost, $"group {write.Group} is trusted although its term is lost");
            tail.Suspicion = null;
            _encoder.Suspicion(write.Group, suspicion: null);
        }

        if (write.HardState is { } state)
        {
            CheckHardState(tail, state);
            if ((state.Term, state.Vote) != (tail.HardState.Term, tail.HardState.Vote)) _changedVotes.Add(write.Group);
            tail.HardState = state;
            _encoder.HardState(write.Group, state);
        }

        if (write.Snapshot is { } snapshot)
        {
            Invariant.Check(
                tail.Snapshot is null || snapshot.Index >= tail.Snapshot.Index,
                $"group {write.Group}: snapshot {snapshot.Index} is older than {tail.Snapshot?.Index}");
            var replacesLog = !tail.Contains(snapshot.Index, snapshot.Term);
            tail.Cover(snapshot, replacesLog);
            _encoder.Snapshot(write.Group, snapshot, replacesLog);
            _mayRelease = true;
        }

        for (var i = 0; i < write.Entries.Count; i++)
        {
            var entry = write.Entries[i];
            if (i == 0)
            {
                Invariant.Check(
                    entry.Index > (tail.Snapshot?.Index ?? 0),
                    $"group {write.Group}: entry {entry.Index} is below its snapshot {tail.Snapshot?.Index}");
                if (entry.Index <= tail.Last) _mayRelease = true;
            }
            else
            {
                Invariant.Check(entry.Index == tail.Last + 1, $"group {write.Group}: entry {entry.Index} after {tail.Last} in one write");
            }
            Invariant.Check(
                tail.TryAppend(entry, _end.Segment),
                $"group {write.Group}: entry {entry.Index} leaves a gap after {tail.Last}");
            _encoder.Entry(write.Group, entry);
        }
    }

    static void CheckHardState(GroupTail tail, in HardState next)
    {
        var current = tail.HardState;
        Invariant.Check(next.Term >= current.Term, $"group {tail.Group}: term falls from {current.Term} to {next.Term}");
        Invariant.Check(
            next.Term > current.Term || current.Vote.IsNone || current.Vote == next.Vote,
            $"group {tail.Group}: the vote of term {next.Term} changes from {current.Vote} to {next.Vote}");
    }

    void WriteBatch()
    {
        var bytes = _encoder.Finish(_nextBatch, _durable);
        _named = _durable;
        _file!.Write(_end.Offset, bytes);
        _end = _end with { Offset = _end.Offset + bytes.Length };
        _nextBatch++;
        _encoder.Release();
    }

    void Rotate(long batchBound)
    {
        Sync();
        StartSegment(_end.Segment + 1, batchBound, standsAlone: false);
    }

    /// <summary>
    /// Makes a segment of the spare file, with the table of all groups at its head, and gives it its name when both
    /// are durable. So a segment that has its name has a readable head, or is damaged.
    /// </summary>
    void StartSegment(ulong sequence, long batchBound, bool standsAlone)
    {
        var previousEnd = standsAlone ? LogFormat.StandsAlone : _end.Offset;
        long table = 0;
        foreach (var tail in _groups.Values) table += TableBound(tail);
        long carriedBytes = 0;
        var carried = standsAlone ? ChooseAll(out carriedBytes) : ChooseCarried(sequence, out carriedBytes);
        var batches = 1 + (carriedBytes / RewriteBatchBytes);
        table = BatchEncoder.BatchBound(table + carriedBytes) + (batches * BatchEncoder.BatchBound(0));

        // Before anything else is changed: there may be no room.
        var spare = TakeSpare(Math.Max(_options.SegmentBytes, LogFormat.SectorBytes + table + batchBound));
        try
        {
            BeginSegment(spare, sequence, previousEnd, carried);
        }
        catch (DiskFullException e)
        {
            throw new IOException($"a write within reserved space found no room: {e.Message}", e);
        }

        Reserve();
    }

    IStorageFile TakeSpare(long length)
    {
        try
        {
            var spare = _spare ?? _files.Open(SparePath, FileOpening.Create);
            _spare = spare;
            spare.Preallocate(length);
            _spare = null;
            return spare;
        }
        catch (DiskFullException)
        {
            DropSpare();
            _shortOfSpace = true;
            throw;
        }
    }

    void BeginSegment(IStorageFile file, ulong sequence, long previousEnd, List<GroupTail> carried)
    {
        var path = SegmentPath(sequence);
        _file?.Dispose();
        _file = file;
        Span<byte> header = stackalloc byte[LogFormat.SectorBytes];
        LogFormat.WriteSegmentHeader(header, sequence, previousEnd, _nextBatch);
        _file.Write(0, header);

        _end = new LogPosition(sequence, LogFormat.SectorBytes);
        _encoder.Begin(sequence, _end.Offset);
        foreach (var tail in _groups.Values) EncodeTable(tail);
        foreach (var tail in carried) EncodeAgain(tail);
        WriteBatch();
        _file.Sync();
        _files.Rename(SparePath, path);
        _files.SyncDirectory(_directory);
        foreach (var tail in carried) tail.MoveTo(sequence);
        _durable = _named = _marked = _end;
        _segments.Add(sequence, _file.Length);
        CountBytes();
        _mayRelease = true;
    }

    void EncodeTable(GroupTail tail)
    {
        _encoder.Create(tail.Group, tail.Config);
        _encoder.HardState(tail.Group, tail.HardState);
        if (tail.Suspicion is { } suspicion) _encoder.Suspicion(tail.Group, suspicion);
        if (tail.ForcedRecovery is { } note) _encoder.ForcedRecovery(tail.Group, note);
        if (tail.Snapshot is { } snapshot) _encoder.Snapshot(tail.Group, snapshot, replacesLog: false);
        _encoder.Extent(tail.Group, tail.Last, tail.LastTerm);
    }

    /// <summary>
    /// Writes a group's live entries again. In a batch of their own when the one under way is large: a length has to fit its field.
    /// </summary>
    void EncodeAgain(GroupTail tail)
    {
        foreach (var entry in tail.Entries)
        {
            if (_encoder.Length > RewriteBatchBytes)
            {
                WriteBatch();
                _encoder.Begin(_end.Segment, _end.Offset);
            }

            _encoder.Entry(tail.Group, entry);
        }
    }

    List<GroupTail> ChooseAll(out long bytes)
    {
        bytes = 0;
        foreach (var tail in _groups.Values) bytes += EntryBytes(tail);
        return [.. _groups.Values.Where(t => t.Entries.Count > 0)];
    }

    static long EntryBytes(GroupTail tail)
    {
        long size = 0;
        foreach (var entry in tail.Entries) size += LogFormat.RecordHeaderBytes + entry.Payload.Length;
        return size;
    }

    /// <summary>The groups whose entries hold the oldest segments and are few enough to be written again.</summary>
    List<GroupTail> ChooseCarried(ulong newSegment, out long bytes)
    {
        bytes = 0;
        var carried = new List<GroupTail>();
        var laggards = _groups.Values.Where(t => t.OldestSegment is { } oldest && oldest + CarryAfterSegments <= newSegment);
        foreach (var tail in laggards.OrderBy(t => t.OldestSegment))
        {
            var size = EntryBytes(tail);
            if (bytes + size > _options.SegmentBytes / CarryShare) continue;
            bytes += size;
            carried.Add(tail);
        }
        return carried;
    }

    static long TableBound(GroupTail tail) =>
        6 * LogFormat.RecordHeaderBytes + sizeof(ulong) + tail.Config.CalculateSize() + (tail.Snapshot?.CalculateSize() ?? 0)
        + Encoding.UTF8.GetMaxByteCount((tail.Suspicion?.Reason.Length ?? 0) + (tail.ForcedRecovery?.Length ?? 0));

    /// <summary>Invariant: called only when all that the tails know is durable.</summary>
    void ReleaseSegments()
    {
        Invariant.Check(_durable == _end, "segments are released before what releases them is durable");
        _mayRelease = false;
        var needed = _end.Segment;
        foreach (var tail in _groups.Values)
        {
            if (tail.OldestSegment is { } oldest && oldest < needed) needed = oldest;
        }

        while (_segments.Count > 1)
        {
            var (oldest, _) = _segments.First();
            if (oldest >= needed) break;
            _files.Delete(SegmentPath(oldest));
            // One by one: a crash between two deletions must not leave a hole, which would read as a lost file.
            _files.SyncDirectory(_directory);
            _segments.Remove(oldest);
        }
        CountBytes();
    }

    void CountBytes()
    {
        long sum = 0;
        foreach (var length in _segments.Values) sum += length;
        if (_spare is not null) sum += _options.SegmentBytes;
        Volatile.Write(ref _sizeBytes, sum);
    }

    void CheckUsable()
    {
        if (_failure is { } failure) throw new IOException("The log failed before and takes nothing any more: " + failure.Message, failure);
    }

    string SparePath => Path.Combine(_directory, "spare" + UnfinishedExtension);

    string SegmentPath(ulong sequence) => Path.Combine(_directory, LogFormat.SegmentName(sequence));
}
