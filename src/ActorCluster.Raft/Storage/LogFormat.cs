using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace ActorCluster.Raft.Storage;

/// <summary>What a record of the log says. Numbers are on disk for ever.</summary>
enum RecordKind : byte
{
    /// <summary>First record of a batch: group = batch number, term and index = segment and offset that were durable when it was written.</summary>
    BatchStart = 1,

    /// <summary>A group's term, commit (in index) and vote (body).</summary>
    HardState = 2,

    /// <summary>One entry; detail = entry kind, body = payload.</summary>
    Entry = 3,

    /// <summary>A durable snapshot up to (index, term); body = SnapshotMeta; detail = 1 when it replaces the group's whole log.</summary>
    Snapshot = 4,

    /// <summary>The group exists on this node; body = its first GroupConfig.</summary>
    Create = 5,

    /// <summary>The group no longer exists on this node.</summary>
    Delete = 6,

    /// <summary>In the table at a segment's head: the group's log ends at (index, term).</summary>
    Extent = 7,

    /// <summary>The group is suspect from here on (body = why), or trusted again; see <see cref="SuspicionDetail"/>.</summary>
    Suspicion = 8,

    /// <summary>The group lost its majority and was given another configuration by hand; body = who, when and why.</summary>
    ForcedRecovery = 9,
}

/// <summary>Detail of a <see cref="RecordKind.Suspicion"/> record.</summary>
enum SuspicionDetail : byte
{
    Trusted = 0,
    Suspect = 1,
    SuspectWithoutTerm = 2,
}

/// <summary>The header of a record as read.</summary>
readonly record struct RecordHeader(uint Crc, int BodyBytes, RecordKind Kind, byte Detail, ulong Group, ulong Index, ulong Term);

/// <summary>
/// Layout of a segment, little-endian. A segment is a header sector, then batches; a batch starts at a sector boundary
/// (so that writing one never rewrites a sector of an earlier, durable one) and is a <see cref="RecordKind.BatchStart"/>
/// record, then its records without gaps, then zeros up to the next sector.
/// Checksums start from the record's own place (segment, offset): what a disk returns from another place, or what an
/// earlier use of the place left behind, is never taken for a record. The header has a checksum of its own, so that a
/// record whose body is damaged still says whose it was. (Version 1 had zeros there.)
/// </summary>
static class LogFormat
{
    public const uint Version = 2;
    public const uint OldestVersion = 1;
    public const int SectorBytes = 512;
    public const int RecordHeaderBytes = 40;
    public const int BatchStartBodyBytes = 8;
    public const int BatchStartBytes = RecordHeaderBytes + BatchStartBodyBytes;
    public const byte SnapshotReplacesLog = 1;

    /// <summary>In place of the end of the segment before: this one needs none before it.</summary>
    public const long StandsAlone = -1;

    const ulong Magic = 0x474f4c5254434341; // "ACCTRLOG"
    const int SegmentHeaderBytes = 40;
    const string Extension = ".log";

    public static string SegmentName(ulong sequence) => sequence.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    /// <summary>Sequence number of a segment's file name; false for any other file.</summary>
    public static bool TryParseSegmentName(string name, out ulong sequence)
    {
        sequence = 0;
        return name.Length == 16 + Extension.Length && name.EndsWith(Extension, StringComparison.Ordinal)
            && ulong.TryParse(name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out sequence)
            && name == SegmentName(sequence);
    }

    public static long AlignUp(long offset) => (offset + SectorBytes - 1) & -SectorBytes;

    /// <param name="sector">One sector.</param>
    /// <param name="sequence">The segment's number, counted from 1 without gaps.</param>
    /// <param name="previousEnd">Where the segment before it ends; 0 for the first; <see cref="StandsAlone"/> when what is before it is superseded.</param>
    /// <param name="firstBatch">Number of its first batch.</param>
    public static void WriteSegmentHeader(Span<byte> sector, ulong sequence, long previousEnd, ulong firstBatch)
    {
        sector[..SectorBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(sector, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[12..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(sector[20..], previousEnd);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[28..], firstBatch);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[36..], Crc32C.Of(sector[..36]));
    }

    /// <summary>Reads a segment's header; throws what is wrong with it.</summary>
    public static SegmentHeader ReadSegmentHeader(ReadOnlySpan<byte> sector, ulong sequence, string path)
    {
        LogDamagedException Damaged(string reason) => new(SegmentName(sequence), 0, group: null, reason);

        if (sector.Length < SegmentHeaderBytes) throw Damaged("the file is shorter than its header");
        if (BinaryPrimitives.ReadUInt64LittleEndian(sector) != Magic) throw Damaged("the header does not say that this is a log segment");
        if (BinaryPrimitives.ReadUInt32LittleEndian(sector[36..]) != Crc32C.Of(sector[..36])) throw Damaged("the header's checksum is wrong");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(sector[8..]);
        if (version is < OldestVersion or > Version) throw new UnsupportedFormatException(path, version, Version);
        if (BinaryPrimitives.ReadUInt64LittleEndian(sector[12..]) != sequence) throw Damaged("the header names another segment");
        return new SegmentHeader(version, BinaryPrimitives.ReadInt64LittleEndian(sector[20..]), BinaryPrimitives.ReadUInt64LittleEndian(sector[28..]));
    }

    /// <summary>Writes header and checksum of a record whose body is already in place behind the header.</summary>
    public static void SealRecord(Span<byte> record, ulong segment, long offset, RecordKind kind, byte detail, ulong group, ulong index, ulong term)
    {
        BinaryPrimitives.WriteInt32LittleEndian(record[4..], record.Length - RecordHeaderBytes);
        record[8] = (byte)kind;
        record[9] = detail;
        record[10..16].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], group);
        BinaryPrimitives.WriteUInt64LittleEndian(record[24..], index);
        BinaryPrimitives.WriteUInt64LittleEndian(record[32..], term);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], HeaderChecksum(record, segment, offset));
        BinaryPrimitives.WriteUInt32LittleEndian(record, Checksum(record, segment, offset));
    }

    /// <summary>
    /// Reads the record at the start of <paramref name="bytes"/>, which reaches to the end of what the record may use.
    /// The length is checked against it before anything is read by it (fault A8). Null when there is no valid record.
    /// </summary>
    public static RecordHeader? TryReadRecord(ReadOnlySpan<byte> bytes, ulong segment, long offset)
    {
        if (bytes.Length < RecordHeaderBytes) return null;
        var header = PeekHeader(bytes);
        if (header.BodyBytes < 0 || header.BodyBytes > bytes.Length - RecordHeaderBytes) return null;
        return Checksum(bytes[..(RecordHeaderBytes + header.BodyBytes)], segment, offset) == header.Crc ? header : null;
    }

    /// <summary>Whether the record's header is what was written, whatever became of its body.</summary>
    public static bool HasSoundHeader(ReadOnlySpan<byte> bytes, ulong segment, long offset) =>
        bytes.Length >= RecordHeaderBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) == HeaderChecksum(bytes, segment, offset)
        && bytes[8] != 0;

    /// <summary>The header's fields, whether they make sense or not.</summary>
    public static RecordHeader PeekHeader(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        (RecordKind)bytes[8],
        bytes[9],
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]));

    static uint Checksum(ReadOnlySpan<byte> record, ulong segment, long offset) => ~Crc32C.Continue(Place(segment, offset), record[4..]);

    static uint HeaderChecksum(ReadOnlySpan<byte> record, ulong segment, long offset) =>
        ~Crc32C.Continue(Crc32C.Continue(Place(segment, offset), record[4..12]), record[16..RecordHeaderBytes]);

    static uint Place(ulong segment, long offset) => BitOperations.Crc32C(BitOperations.Crc32C(uint.MaxValue, segment), (ulong)offset);
}

/// <summary>The header of a segment as read.</summary>
readonly record struct SegmentHeader(uint Version, long PreviousEnd, ulong FirstBatch);
