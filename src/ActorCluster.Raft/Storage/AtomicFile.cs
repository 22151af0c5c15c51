using System.Buffers.Binary;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// A small file that is replaced as a whole: after a crash it holds the old content or the new one, never a mixture and
/// never nothing. Temporary file, sync, rename, sync of the directory (fault A12).
/// </summary>
public sealed class AtomicFile(IFileSystem files, string path)
{
    /// <summary>Largest content, in bytes.</summary>
    public const int MaxContentBytes = 16 * 1024 * 1024;

    const uint Magic = 0x46414341; // "ACAF"
    const uint Version = 1;
    const int HeaderBytes = 16;
    const string UnfinishedExtension = ".new";

    /// <summary>Makes the content durable under the file's name before it returns.</summary>
    public void Write(ReadOnlySpan<byte> content)
    {
        Invariant.Check(content.Length <= MaxContentBytes, $"{path}: {content.Length} bytes, the limit is {MaxContentBytes}");
        var bytes = new byte[HeaderBytes + content.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), content.Length);
        content.CopyTo(bytes.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Checksum(bytes));

        var unfinished = path + UnfinishedExtension;
        using (var file = files.Open(unfinished, FileOpening.Create))
        {
            file.Write(0, bytes);
            file.Sync();
        }
        files.Rename(unfinished, path);
        files.SyncDirectory(DirectoryName);
    }

    /// <summary>The content; null when it was never written. Removes what a crash in the middle of a write left.</summary>
    /// <exception cref="FileDamagedException">It was written and cannot be read back.</exception>
    /// <exception cref="UnsupportedFormatException">Another version wrote it.</exception>
    public byte[]? Read()
    {
        if (files.FileExists(path + UnfinishedExtension))
        {
            files.Delete(path + UnfinishedExtension);
            files.SyncDirectory(DirectoryName);
        }
        if (!files.FileExists(path)) return null;

        // A process that died between rename and sync leaves a name that is seen but not durable. What is read is acted
        // upon, so it must not go away with the power.
        files.SyncDirectory(DirectoryName);

        using var file = files.Open(path, FileOpening.Read);
        var length = file.Length;
        if (length is < HeaderBytes or > HeaderBytes + MaxContentBytes) throw new FileDamagedException(path, $"{length} bytes cannot be its length");
        var bytes = new byte[length];
        if (file.Read(0, bytes) != length) throw new FileDamagedException(path, "it is shorter than its length says");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic) throw new FileDamagedException(path, "the header does not say what it is");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4));
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)) != Checksum(bytes)) throw new FileDamagedException(path, "the checksum is wrong");
        if (version != Version) throw new UnsupportedFormatException(path, version, Version);
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) != length - HeaderBytes) throw new FileDamagedException(path, "the length is wrong");
        return bytes[HeaderBytes..];
    }

    string DirectoryName => Path.GetDirectoryName(path) ?? "";

    static uint Checksum(ReadOnlySpan<byte> bytes) => ~Crc32C.Continue(Crc32C.Continue(uint.MaxValue, bytes[..12]), bytes[HeaderBytes..]);
}
