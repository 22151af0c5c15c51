using System.Buffers.Binary;
using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Builds one batch in a buffer that is used again: the append path allocates nothing per record.
/// Records are sealed when their place is known, which is why a batch is begun with its segment and offset.
/// </summary>
sealed class BatchEncoder
{
    /// <summary>A buffer grown above this by one large batch is given back after it.</summary>
    const int KeptBufferBytes = 4 * 1024 * 1024;

    byte[] _buffer = new byte[64 * 1024];
    int _length;
    int _records;
    ulong _segment;
    long _offset;

    /// <summary>Bytes of the batch under way.</summary>
    public int Length => _length;

    /// <summary>Upper bound of what a write takes in a batch, without the batch's own start and padding.</summary>
    public static long SizeBound(LogWrite write)
    {
        long size = 4 * LogFormat.RecordHeaderBytes + sizeof(ulong);
        if (write.Snapshot is { } snapshot) size += snapshot.CalculateSize();
        if (write.Config is { } config) size += config.CalculateSize();
        for (var i = 0; i < write.Entries.Count; i++) size += LogFormat.RecordHeaderBytes + write.Entries[i].Payload.Length;
        return size;
    }

    /// <summary>Upper bound of a batch with records of this total size.</summary>
    public static long BatchBound(long recordBytes) => LogFormat.AlignUp(LogFormat.BatchStartBytes + recordBytes);

    public void Begin(ulong segment, long offset)
    {
        _segment = segment;
        _offset = offset;
        _length = LogFormat.BatchStartBytes;
        _records = 0;
    }

    public void HardState(GroupId group, in HardState state)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Body(sizeof(ulong)), state.Vote.Value);
        Seal(sizeof(ulong), RecordKind.HardState, detail: 0, group.Value, state.Commit, state.Term);
    }

    public void Entry(GroupId group, Entry entry)
    {
        var payload = entry.Payload.Span;
        payload.CopyTo(Body(payload.Length));
        Seal(payload.Length, RecordKind.Entry, (byte)entry.Kind, group.Value, entry.Index, entry.Term);
    }

    public void Snapshot(GroupId group, SnapshotMeta snapshot, bool replacesLog)
    {
        var size = snapshot.CalculateSize();
        snapshot.WriteTo(Body(size));
        Seal(size, RecordKind.Snapshot, replacesLog ? LogFormat.SnapshotReplacesLog : (byte)0, group.Value, snapshot.Index, snapshot.Term);
    }

    public void Create(GroupId group, GroupConfig config)
    {
        var size = config.CalculateSize();
        config.WriteTo(Body(size));
        Seal(size, RecordKind.Create, detail: 0, group.Value, index: 0, term: 0);
    }

    public void Delete(GroupId group) => Seal(bodyBytes: 0, RecordKind.Delete, detail: 0, group.Value, index: 0, term: 0);

    public void Extent(GroupId group, ulong last, ulong lastTerm) =>
        Seal(bodyBytes: 0, RecordKind.Extent, detail: 0, group.Value, last, lastTerm);

    /// <param name="group">The group.</param>
    /// <param name="suspicion">Why it is suspect; null: it is trusted again.</param>
    public void Suspicion(GroupId group, Suspicion? suspicion)
    {
        var detail = suspicion is null ? SuspicionDetail.Trusted : suspicion.TermIsLost ? SuspicionDetail.SuspectWithoutTerm : SuspicionDetail.Suspect;
        Text(group, RecordKind.Suspicion, (byte)detail, suspicion?.Reason ?? "");
    }

    public void ForcedRecovery(GroupId group, string note) => Text(group, RecordKind.ForcedRecovery, detail: 0, note);

    /// <summary>The whole batch, padded to full sectors. Valid until the next <see cref="Begin"/>.</summary>
    public ReadOnlySpan<byte> Finish(ulong batch, in LogPosition durable)
    {
        var start = _buffer.AsSpan(0, LogFormat.BatchStartBytes);
        BinaryPrimitives.WriteInt32LittleEndian(start[LogFormat.RecordHeaderBytes..], _length);
        BinaryPrimitives.WriteInt32LittleEndian(start[(LogFormat.RecordHeaderBytes + 4)..], _records);
        LogFormat.SealRecord(start, _segment, _offset, RecordKind.BatchStart, detail: 0, batch, (ulong)durable.Offset, durable.Segment);
        var padded = (int)LogFormat.AlignUp(_length);
        Reserve(padded - _length);
        _buffer.AsSpan(_length, padded - _length).Clear();
        return _buffer.AsSpan(0, padded);
    }

    public void Release()
    {
        if (_buffer.Length > KeptBufferBytes) _buffer = new byte[KeptBufferBytes];
    }

    Span<byte> Body(int bodyBytes)
    {
        Reserve(LogFormat.RecordHeaderBytes + bodyBytes);
        return _buffer.AsSpan(_length + LogFormat.RecordHeaderBytes, bodyBytes);
    }

    void Text(GroupId group, RecordKind kind, byte detail, string text)
    {
        var size = Encoding.UTF8.GetByteCount(text);
        Encoding.UTF8.GetBytes(text, Body(size));
        Seal(size, kind, detail, group.Value, index: 0, term: 0);
    }

    void Seal(int bodyBytes, RecordKind kind, byte detail, ulong group, ulong index, ulong term)
    {
        Reserve(LogFormat.RecordHeaderBytes + bodyBytes);
        var record = _buffer.AsSpan(_length, LogFormat.RecordHeaderBytes + bodyBytes);
        LogFormat.SealRecord(record, _segment, _offset + _length, kind, detail, group, index, term);
        _length += record.Length;
        _records++;
    }

    void Reserve(int more)
    {
        if (_buffer.Length - _length >= more) return;
        Array.Resize(ref _buffer, Math.Max(checked(_length + more), (int)Math.Min(2L * _buffer.Length, Array.MaxLength)));
    }
}

/// <summary>A place in the log: everything before it, in this segment and in earlier ones.</summary>
readonly record struct LogPosition(ulong Segment, long Offset) : IComparable<LogPosition>
{
    public int CompareTo(LogPosition other) => Segment == other.Segment ? Offset.CompareTo(other.Offset) : Segment.CompareTo(other.Segment);

    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;

    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;
}
