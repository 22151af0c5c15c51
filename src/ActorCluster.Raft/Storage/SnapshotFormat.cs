using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Layout of a snapshot file, little-endian: a header (magic, version, group, meta with the content's size, checksum),
/// then the content in chunks of <see cref="ChunkBytes"/> (the last one shorter), each behind its own checksum, which
/// starts from the group, the index and the chunk's number so that no chunk is taken for another.
/// </summary>
static class SnapshotFormat
{
    public const int ChunkBytes = 256 * 1024;
    public const int ChunkHeaderBytes = 4;

    const uint Magic = 0x4e534341; // "ACSN"
    const uint Version = 1;
    const int FixedHeaderBytes = 24;
    const int MaxMetaBytes = 64 * 1024;
    const string Extension = ".snapshot";

    public static string FileName(GroupId group, ulong index, ulong term) =>
        string.Create(CultureInfo.InvariantCulture, $"{group.Value:x16}-{index:x16}-{term:x16}{Extension}");

    public static bool TryParseFileName(string name, out GroupId group, out ulong index, out ulong term)
    {
        group = default;
        index = term = 0;
        if (name.Length != 50 + Extension.Length || !name.EndsWith(Extension, StringComparison.Ordinal)) return false;
        if (!TryHex(name.AsSpan(0, 16), out var g) || !TryHex(name.AsSpan(17, 16), out index) || !TryHex(name.AsSpan(34, 16), out term)) return false;
        group = new GroupId(g);
        return name == FileName(group, index, term);
    }

    /// <summary>Where the content starts: known before its size is.</summary>
    public static int ContentStart(SnapshotMeta meta)
    {
        var widest = meta.Clone();
        widest.SizeBytes = ulong.MaxValue;
        var size = widest.CalculateSize();
        Invariant.Check(size <= MaxMetaBytes, $"a snapshot's meta takes {size} bytes, the limit is {MaxMetaBytes}");
        return FixedHeaderBytes + size;
    }

    /// <summary>File length for a content of this size.</summary>
    public static long FileLength(int contentStart, long contentBytes) =>
        contentStart + contentBytes + (ChunkHeaderBytes * ((contentBytes + ChunkBytes - 1) / ChunkBytes));

    public static byte[] Header(GroupId group, SnapshotMeta meta, int contentStart)
    {
        var header = new byte[contentStart];
        var metaBytes = meta.CalculateSize();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), group.Value);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(16), checked((ushort)(contentStart - FixedHeaderBytes)));
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(18), checked((ushort)metaBytes));
        meta.WriteTo(header.AsSpan(FixedHeaderBytes, metaBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20), HeaderChecksum(header));
        return header;
    }

    /// <summary>Reads and checks the header and the file's length.</summary>
    public static (SnapshotMeta Meta, int ContentStart) ReadHeader(IStorageFile file, string path, GroupId group)
    {
        SnapshotDamagedException Damaged(string reason) => new(path, group, reason);

        Span<byte> fixedPart = stackalloc byte[FixedHeaderBytes];
        if (file.Read(0, fixedPart) != FixedHeaderBytes) throw Damaged("it is shorter than its header");
        if (BinaryPrimitives.ReadUInt32LittleEndian(fixedPart) != Magic) throw Damaged("the header does not say that this is a snapshot");
        var contentStart = FixedHeaderBytes + BinaryPrimitives.ReadUInt16LittleEndian(fixedPart[16..]);
        var metaBytes = BinaryPrimitives.ReadUInt16LittleEndian(fixedPart[18..]);
        var header = new byte[contentStart];
        if (metaBytes > contentStart - FixedHeaderBytes || file.Read(0, header) != contentStart) throw Damaged("it is shorter than its header");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(20)) != HeaderChecksum(header)) throw Damaged("the header's checksum is wrong");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
        if (version != Version) throw new UnsupportedFormatException(path, version, Version);
        if (BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8)) != group.Value) throw Damaged("the header names another group");

        var meta = SnapshotMeta.Parser.ParseFrom(header.AsSpan(FixedHeaderBytes, metaBytes));
        if (meta.SizeBytes > long.MaxValue / 2 || file.Length != FileLength(contentStart, (long)meta.SizeBytes))
            throw Damaged($"the file has {file.Length} bytes, the header says content of {meta.SizeBytes}");
        return (meta, contentStart);
    }

    /// <summary>Reads a snapshot file to its end.</summary>
    /// <exception cref="SnapshotDamagedException">Some of it cannot be read.</exception>
    public static SnapshotMeta Verify(IFileSystem files, string path, GroupId group)
    {
        using var file = files.Open(path, FileOpening.Read);
        var (meta, contentStart) = ReadHeader(file, path, group);
        using var content = new SnapshotReadStream(file, path, group, meta, contentStart);
        content.CopyTo(Stream.Null, ChunkBytes);
        return meta;
    }

    public static uint ChunkChecksum(GroupId group, SnapshotMeta meta, long chunk, ReadOnlySpan<byte> content)
    {
        var place = BitOperations.Crc32C(BitOperations.Crc32C(BitOperations.Crc32C(uint.MaxValue, group.Value), meta.Index), (ulong)chunk);
        return ~Crc32C.Continue(place, content);
    }

    static uint HeaderChecksum(ReadOnlySpan<byte> header) => ~Crc32C.Continue(Crc32C.Continue(uint.MaxValue, header[..20]), header[24..]);

    static bool TryHex(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
