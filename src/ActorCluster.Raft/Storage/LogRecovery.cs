using System.Buffers.Binary;
using ActorCluster.Protocol;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Reads the log back and changes nothing. What cannot be read is one of two things: the torn tail of writes that no sync covered, which
/// is to be cut, or damage of something durable. They are told apart by the batches themselves: each names the position that
/// was durable when it was written, so unreadable bytes below a position that any readable batch names are damage
/// (faults A7, A9). The last synced batch is covered only by what was written after it. After damage reading goes on with the
/// next record or batch that is sound; what the groups lost by it is the business of <see cref="RecoveredLogs"/>.
/// </summary>
sealed class LogRecovery(IFileSystem files, string directory, VoteCopy? votes)
{
    readonly RecoveredLogs _logs = new(votes);
    LogPosition? _horizon;

    /// <summary>Where the last whole batch ends; everything behind it is to be cut.</summary>
    public LogPosition End { get; private set; }

    /// <summary>Is anything but zeros behind <see cref="End"/>?</summary>
    public bool HasTornTail { get; private set; }

    /// <summary>Format version of the last segment; 0 when its header cannot be read.</summary>
    public uint LastVersion { get; private set; }

    public ulong NextBatch { get; private set; }

    /// <summary>Lengths of the segments read, oldest first.</summary>
    public SortedDictionary<ulong, long> Segments { get; } = [];

    /// <summary>Older segments, which a later one that stands alone replaces.</summary>
    public List<ulong> Superseded { get; } = [];

    /// <summary>What could not be read.</summary>
    public IReadOnlyList<LogDamage> Damages => _logs.Damages;

    public IEnumerable<GroupTail> Tails => _logs.Tails;

    /// <summary>Told of every record that is read, in order: segment, offset, header.</summary>
    public Action<LogPosition, RecordHeader>? Observer { get; init; }

    public void Run(IReadOnlyList<ulong> sequences)
    {
        var first = sequences.Count - 1;
        while (first > 0 && TryReadHeader(sequences[first]) is not { PreviousEnd: LogFormat.StandsAlone }) first--;
        Superseded.AddRange(sequences.Take(first));

        for (var i = first; i < sequences.Count; i++)
        {
            if (i > first)
            {
                for (var missing = sequences[i - 1] + 1; missing < sequences[i]; missing++) Lose(missing, 0, "the file is missing");
            }

            ReplaySegment(sequences[i], isOldest: i == first, next: i == sequences.Count - 1 ? null : sequences[i + 1]);
        }
    }

    /// <inheritdoc cref="RecoveredLogs.Finish"/>
    public List<RecoveredGroup> ToGroups() => _logs.Finish(LogFormat.SegmentName(Segments.Keys.First()));

    void ReplaySegment(ulong sequence, bool isOldest, ulong? next)
    {
        using var file = files.Open(SegmentPath(sequence), FileOpening.Read);
        var reader = new SegmentReader(file);
        Segments.Add(sequence, reader.Length);
        var header = ReadHeader(reader, sequence);
        LastVersion = header?.Version ?? 0;
        if (isOldest) NextBatch = header?.FirstBatch ?? 0;

        var end = next is { } n && TryReadHeader(n) is { PreviousEnd: > 0 } following ? following.PreviousEnd : (long?)null;
        _horizon = next is null ? null : new LogPosition(sequence, end ?? long.MaxValue);
        long offset = LogFormat.SectorBytes;
        var isHead = true;
        while (offset < (end ?? reader.Length))
        {
            if (TryReadBatchStart(reader, sequence, offset, out var start, out var length, out var count) && (start.Group == NextBatch || NextBatch == 0))
            {
                if (FirstBadRecord(reader.Read(offset, length), sequence, offset, count) >= 0 && !WasDurable(reader, sequence, offset)) break;
                ReplayBatch(reader.Read(offset, length), sequence, offset, isHead, isOldest);
                NextBatch = start.Group + 1;
                offset += LogFormat.AlignUp(length);
            }
            else if (!TrySkipDamage(reader, sequence, ref offset, end))
            {
                break;
            }

            isHead = false;
        }

        if (isHead && next is null) Lose(sequence, LogFormat.SectorBytes, "the table of groups at its head cannot be read");
        End = new LogPosition(sequence, offset);
        if (next is null) HasTornTail = HasAnythingBehind(reader, offset);
    }

    /// <summary>The header of the segment that is replayed; damage of it loses no record.</summary>
    SegmentHeader? ReadHeader(SegmentReader reader, ulong sequence)
    {
        try
        {
            return LogFormat.ReadSegmentHeader(reader.Read(0, LogFormat.SectorBytes), sequence, SegmentPath(sequence));
        }
        catch (LogDamagedException e)
        {
            _logs.Damages.Add(new LogDamage(LogFormat.SegmentName(sequence), 0, Group: null, Index: null, e.Reason));
            return null;
        }
    }

    SegmentHeader? TryReadHeader(ulong sequence)
    {
        try
        {
            using var file = files.Open(SegmentPath(sequence), FileOpening.Read);
            Span<byte> sector = stackalloc byte[LogFormat.SectorBytes];
            var read = file.Read(0, sector);
            return LogFormat.ReadSegmentHeader(sector[..read], sequence, SegmentPath(sequence));
        }
        catch (LogDamagedException)
        {
            return null; // named when the segment itself is replayed
        }
    }

    /// <summary>
    /// There is no batch where one belongs. Damage: names it and goes to the next batch, or to the segment's end. False: the log
    /// ends here.
    /// </summary>
    bool TrySkipDamage(SegmentReader reader, ulong sequence, ref long offset, long? end)
    {
        if (!WasDurable(reader, sequence, offset)) return false;
        for (var position = offset; position < (end ?? reader.Length); position += LogFormat.SectorBytes)
        {
            if (!TryReadBatchStart(reader, sequence, position, out var start, out _, out _) || start.Group < NextBatch) continue;
            Lose(sequence, offset, $"everything up to the batch at offset {position} cannot be read");
            NextBatch = start.Group;
            offset = position;
            return true;
        }

        if (end is null) return false;
        Lose(sequence, offset, $"everything up to the segment's end at {end} cannot be read");
        offset = end.Value;
        return true;
    }

    /// <summary>Whether what stands at an offset was durable once: some later batch says so.</summary>
    bool WasDurable(SegmentReader reader, ulong sequence, long offset)
    {
        // A segment gets its name when its head is durable.
        if (offset == LogFormat.SectorBytes) return true;
        _horizon ??= FindHorizon(reader, sequence, offset);
        return new LogPosition(sequence, offset) < _horizon;
    }

    static LogPosition FindHorizon(SegmentReader reader, ulong sequence, long offset)
    {
        var horizon = new LogPosition(sequence, 0);
        for (var position = offset; position < reader.Length; position += LogFormat.SectorBytes)
        {
            if (!reader.Read(position, LogFormat.SectorBytes).ContainsAnyExcept((byte)0)) continue;
            if (!TryReadBatchStart(reader, sequence, position, out var start, out _, out _)) continue;
            var durable = new LogPosition(start.Term, (long)start.Index);
            if (durable > horizon) horizon = durable;
        }

        return horizon;
    }

    static bool HasAnythingBehind(SegmentReader reader, long offset)
    {
        for (var position = offset; position < reader.Length; position += LogFormat.SectorBytes)
        {
            if (reader.Read(position, LogFormat.SectorBytes).ContainsAnyExcept((byte)0)) return true;
        }

        return false;
    }

    void ReplayBatch(ReadOnlySpan<byte> batch, ulong sequence, long offset, bool isHead, bool isOldest)
    {
        if (isHead) _logs.BeginTable();
        var position = LogFormat.BatchStartBytes;
        var isWhole = true;
        while (position < batch.Length)
        {
            var place = new LogPosition(sequence, offset + position);
            if (LogFormat.TryReadRecord(batch[position..], sequence, place.Offset) is { } header)
            {
                _logs.Apply(header, batch.Slice(position + LogFormat.RecordHeaderBytes, header.BodyBytes), place, isHead, isOldest);
                Observer?.Invoke(place, header);
                position += LogFormat.RecordHeaderBytes + header.BodyBytes;
                continue;
            }

            isWhole = false;
            LoseRecord(batch[position..], place);
            position = NextRecord(batch, position, sequence, offset);
            if (position < 0) break;
        }

        if (isHead && isWhole) _logs.EndTable();
    }

    void LoseRecord(ReadOnlySpan<byte> bytes, LogPosition place)
    {
        // A record whose header is sound is named; what follows a header that is not may be several records of several groups.
        if (!LogFormat.HasSoundHeader(bytes, place.Segment, place.Offset))
        {
            Lose(place.Segment, place.Offset, "a record cannot be read");
            return;
        }

        var header = LogFormat.PeekHeader(bytes);
        _logs.Lose(new LogDamage(
            LogFormat.SegmentName(place.Segment), place.Offset, new GroupId(header.Group),
            header.Kind == RecordKind.Entry ? header.Index : null, $"a record of kind {header.Kind} cannot be read"));
    }

    /// <summary>Position in the batch of the next sound record after the damaged one at <paramref name="position"/>; -1 when there is none.</summary>
    static int NextRecord(ReadOnlySpan<byte> batch, int position, ulong sequence, long offset)
    {
        if (LogFormat.HasSoundHeader(batch[position..], sequence, offset + position))
        {
            // Its length is known: what follows it stands right behind it.
            var next = position + LogFormat.RecordHeaderBytes + LogFormat.PeekHeader(batch[position..]).BodyBytes;
            return next < batch.Length ? next : -1;
        }

        for (var next = position + 1; next <= batch.Length - LogFormat.RecordHeaderBytes; next++)
        {
            if (LogFormat.HasSoundHeader(batch[next..], sequence, offset + next)) return next;
        }

        return -1;
    }

    static bool TryReadBatchStart(SegmentReader reader, ulong sequence, long offset, out RecordHeader start, out int length, out int count)
    {
        length = count = 0;
        start = default;
        var bytes = reader.Read(offset, LogFormat.BatchStartBytes);
        if (LogFormat.TryReadRecord(bytes, sequence, offset) is not { Kind: RecordKind.BatchStart, BodyBytes: LogFormat.BatchStartBodyBytes } header)
            return false;
        start = header;
        length = BinaryPrimitives.ReadInt32LittleEndian(bytes[LogFormat.RecordHeaderBytes..]);
        count = BinaryPrimitives.ReadInt32LittleEndian(bytes[(LogFormat.RecordHeaderBytes + 4)..]);
        return length >= LogFormat.BatchStartBytes && length <= reader.Length - offset && count >= 0;
    }

    /// <summary>Position in the batch of the first record that is not valid; -1 when all are and they fill the batch exactly.</summary>
    static int FirstBadRecord(ReadOnlySpan<byte> batch, ulong sequence, long offset, int count)
    {
        var position = LogFormat.BatchStartBytes;
        for (var i = 0; i < count; i++)
        {
            if (LogFormat.TryReadRecord(batch[position..], sequence, offset + position) is not { } header) return position;
            position += LogFormat.RecordHeaderBytes + header.BodyBytes;
        }

        return position == batch.Length ? -1 : position;
    }

    void Lose(ulong sequence, long offset, string reason) =>
        _logs.Lose(new LogDamage(LogFormat.SegmentName(sequence), offset, Group: null, Index: null, reason));

    string SegmentPath(ulong sequence) => Path.Combine(directory, LogFormat.SegmentName(sequence));
}
