using System.Buffers.Binary;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Reads the log back. What cannot be read is one of two things: the torn tail of writes that no sync covered, which is
/// cut, or damage of something durable, which stops the node. They are told apart by the batches themselves: each names
/// the position that was durable when it was written, so unreadable bytes below a position that any readable batch
/// names are damage (faults A7, A9). The last synced batch is covered only by what was written after it.
/// </summary>
sealed class LogRecovery(IFileSystem files, string directory)
{
    readonly SortedDictionary<GroupId, GroupTail> _groups = [];

    /// <summary>Where the last whole batch ends; everything behind it is to be cut.</summary>
    public LogPosition End { get; private set; }

    /// <summary>Is anything but zeros behind <see cref="End"/>?</summary>
    public bool HasTornTail { get; private set; }

    public ulong NextBatch { get; private set; }

    /// <summary>Lengths of the segments read, oldest first.</summary>
    public SortedDictionary<ulong, long> Segments { get; } = [];

    public IEnumerable<GroupTail> Tails => _groups.Values;

    public void Run(IReadOnlyList<ulong> sequences)
    {
        for (var i = 0; i < sequences.Count; i++)
        {
            if (i > 0 && sequences[i] != sequences[i - 1] + 1)
                throw Damaged(sequences[i - 1] + 1, 0, "the file is missing");
            var isLast = i == sequences.Count - 1;
            ReplaySegment(sequences[i], isFirst: i == 0, next: isLast ? null : sequences[i + 1]);
        }
    }

    /// <summary>The groups, checked: the log of each follows its snapshot without a gap (fault A11).</summary>
    public List<RecoveredGroup> ToGroups()
    {
        var result = new List<RecoveredGroup>(_groups.Count);
        foreach (var (id, group) in _groups)
        {
            var start = group.Snapshot?.Index ?? 0;
            if (group.Base != start)
            {
                throw new LogDamagedException(
                    LogFormat.SegmentName(Segments.Keys.First()), 0, id,
                    $"the log of the group begins after index {group.Base}, its snapshot ends at {start}");
            }
            result.Add(new RecoveredGroup(id, group.HardState, group.Config, group.Snapshot, [.. group.Entries]));
        }
        return result;
    }

    void ReplaySegment(ulong sequence, bool isFirst, ulong? next)
    {
        using var file = files.Open(SegmentPath(sequence), FileOpening.Read);
        var reader = new SegmentReader(file);
        Segments.Add(sequence, reader.Length);
        var header = LogFormat.ReadSegmentHeader(reader.Read(0, LogFormat.SectorBytes), sequence, SegmentPath(sequence));
        if (isFirst)
            NextBatch = header.FirstBatch;
        else if (header.PreviousEnd != End.Offset || header.FirstBatch != NextBatch)
            throw Damaged(sequence, 0, $"it follows offset {header.PreviousEnd} and batch {header.FirstBatch - 1}, but the segment before it ends otherwise");

        var end = next is { } n ? ReadPreviousEnd(n) : long.MaxValue;
        long offset = LogFormat.SectorBytes;
        var isHead = true;
        while (offset < end && TryReplayBatch(reader, sequence, ref offset, isFirst && isHead)) isHead = false;
        if (isHead) throw Damaged(sequence, offset, "the table of groups at its head cannot be read");
        if (next is not null && offset != end) throw DamagedBatch(reader, sequence, offset, $"the segment's batches end at {end}");

        End = new LogPosition(sequence, offset);
        if (next is null) ExamineTail(reader, sequence, offset);
    }

    long ReadPreviousEnd(ulong sequence)
    {
        using var file = files.Open(SegmentPath(sequence), FileOpening.Read);
        Span<byte> sector = stackalloc byte[LogFormat.SectorBytes];
        var read = file.Read(0, sector);
        return LogFormat.ReadSegmentHeader(sector[..read], sequence, SegmentPath(sequence)).PreviousEnd;
    }

    bool TryReplayBatch(SegmentReader reader, ulong sequence, ref long offset, bool isOldestHead)
    {
        if (!TryReadBatchStart(reader, sequence, offset, out var start, out var length, out var count)) return false;
        if (start.Group != NextBatch) throw Damaged(sequence, offset, $"batch {start.Group} stands where batch {NextBatch} belongs");

        var batch = reader.Read(offset, length);
        if (batch.Length < length || FirstBadRecord(batch, sequence, offset, count) >= 0) return false;

        var position = LogFormat.BatchStartBytes;
        for (var i = 0; i < count; i++)
        {
            var header = LogFormat.PeekHeader(batch[position..]);
            Apply(header, batch.Slice(position + LogFormat.RecordHeaderBytes, header.BodyBytes), sequence, offset + position, isOldestHead);
            position += LogFormat.RecordHeaderBytes + header.BodyBytes;
        }
        NextBatch++;
        offset += LogFormat.AlignUp(length);
        return true;
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

    void Apply(RecordHeader header, ReadOnlySpan<byte> body, ulong sequence, long offset, bool isOldestHead)
    {
        var id = new GroupId(header.Group);
        if (header.Kind == RecordKind.Create)
        {
            if (!_groups.ContainsKey(id)) _groups.Add(id, new GroupTail(id, Parse(GroupConfig.Parser, body, sequence, offset, id)));
            return;
        }
        if (!_groups.TryGetValue(id, out var group)) throw Damaged(sequence, offset, "the group was never created", id);

        switch (header.Kind)
        {
            case RecordKind.HardState when body.Length == sizeof(ulong):
                group.HardState = new HardState(header.Term, new NodeUid(BinaryPrimitives.ReadUInt64LittleEndian(body)), header.Index);
                break;
            case RecordKind.Entry:
                var entry = new Entry
                {
                    Index = header.Index,
                    Term = header.Term,
                    Kind = (EntryKind)header.Detail,
                    Payload = ByteString.CopyFrom(body),
                };
                if (!group.TryAppend(entry, sequence))
                    throw Damaged(sequence, offset, $"entry {header.Index} does not follow entry {group.Last}", id);
                break;
            case RecordKind.Snapshot:
                group.Cover(Parse(SnapshotMeta.Parser, body, sequence, offset, id), header.Detail == LogFormat.SnapshotReplacesLog);
                break;
            case RecordKind.Delete:
                _groups.Remove(id);
                break;
            case RecordKind.Extent when isOldestHead:
                if (header.Index > group.Last) group.StartAfter(header.Index, header.Term);
                break;
            case RecordKind.Extent:
                if (header.Index != group.Last || header.Term != group.LastTerm)
                {
                    throw Damaged(
                        sequence, offset,
                        $"the group's log ends at index {group.Last} in term {group.LastTerm}, the table at the segment's head says {header.Index} in term {header.Term}",
                        id);
                }
                break;
            default:
                throw Damaged(sequence, offset, $"a record of unknown kind {(byte)header.Kind}", id);
        }
    }

    /// <summary>The batch at <paramref name="offset"/> is not readable, or the log ends there. Which of the two, and was it durable?</summary>
    void ExamineTail(SegmentReader reader, ulong sequence, long offset)
    {
        var end = new LogPosition(sequence, offset);
        for (var position = offset; position < reader.Length; position += LogFormat.SectorBytes)
        {
            var sector = reader.Read(position, LogFormat.SectorBytes);
            if (!sector.ContainsAnyExcept((byte)0)) continue;
            HasTornTail = true;
            if (!TryReadBatchStart(reader, sequence, position, out var start, out _, out _)) continue;
            var durable = new LogPosition(start.Term, (long)start.Index);
            if (durable > end)
                throw DamagedBatch(reader, sequence, offset, $"batch {start.Group} at offset {position} was written when everything before offset {durable.Offset} was durable");
        }
    }

    LogDamagedException DamagedBatch(SegmentReader reader, ulong sequence, long offset, string reason)
    {
        if (!TryReadBatchStart(reader, sequence, offset, out _, out var length, out var count))
            return Damaged(sequence, offset, "the start of a batch cannot be read; " + reason);
        var batch = reader.Read(offset, length);
        var position = FirstBadRecord(batch, sequence, offset, count);
        if (position < 0 || batch.Length - position < LogFormat.RecordHeaderBytes)
            return Damaged(sequence, offset, "a batch cannot be read; " + reason);
        // The header may be what is damaged: the group is named only when it is one that exists.
        var group = new GroupId(LogFormat.PeekHeader(batch[position..]).Group);
        return Damaged(sequence, offset + position, "a record cannot be read; " + reason, _groups.ContainsKey(group) ? group : null);
    }

    T Parse<T>(MessageParser<T> parser, ReadOnlySpan<byte> body, ulong sequence, long offset, GroupId group)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Damaged(sequence, offset, $"{typeof(T).Name} cannot be parsed: {e.Message}", group);
        }
    }

    static LogDamagedException Damaged(ulong sequence, long offset, string reason, GroupId? group = null) =>
        new(LogFormat.SegmentName(sequence), offset, group, reason);

    string SegmentPath(ulong sequence) => Path.Combine(directory, LogFormat.SegmentName(sequence));
}
