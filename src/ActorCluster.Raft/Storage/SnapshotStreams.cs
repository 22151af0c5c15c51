using System.Buffers.Binary;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>Cuts what is written to it into checked chunks of a snapshot file.</summary>
sealed class SnapshotWriteStream(IStorageFile file, GroupId group, SnapshotMeta meta, int contentStart) : Stream
{
    readonly byte[] _chunk = new byte[SnapshotFormat.ChunkHeaderBytes + SnapshotFormat.ChunkBytes];
    int _filled;
    long _chunks;
    long _fileOffset = contentStart;

    /// <summary>Bytes of content so far.</summary>
    public override long Length => (_chunks * SnapshotFormat.ChunkBytes) + _filled;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var part = Math.Min(buffer.Length, SnapshotFormat.ChunkBytes - _filled);
            buffer[..part].CopyTo(_chunk.AsSpan(SnapshotFormat.ChunkHeaderBytes + _filled));
            buffer = buffer[part..];
            _filled += part;
            if (_filled == SnapshotFormat.ChunkBytes) WriteChunk();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>A flush makes nothing durable: the store does, once, when all is written.</summary>
    public override void Flush()
    {
    }

    /// <summary>Writes the last, shorter chunk; returns the content's size.</summary>
    public long Complete()
    {
        var size = Length;
        if (_filled > 0) WriteChunk();
        return size;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    void WriteChunk()
    {
        var content = _chunk.AsSpan(SnapshotFormat.ChunkHeaderBytes, _filled);
        BinaryPrimitives.WriteUInt32LittleEndian(_chunk, SnapshotFormat.ChunkChecksum(group, meta, _chunks, content));
        file.Write(_fileOffset, _chunk.AsSpan(0, SnapshotFormat.ChunkHeaderBytes + _filled));
        _fileOffset += SnapshotFormat.ChunkHeaderBytes + _filled;
        _chunks++;
        _filled = 0;
    }
}

/// <summary>The content of a snapshot file; every chunk is checked before a byte of it is handed out.</summary>
sealed class SnapshotReadStream(IStorageFile file, string path, GroupId group, SnapshotMeta meta, int contentStart) : Stream
{
    readonly byte[] _chunk = new byte[SnapshotFormat.ChunkHeaderBytes + SnapshotFormat.ChunkBytes];
    long _loaded = -1;
    long _position;

    public override long Length { get; } = (long)meta.SizeBytes;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || _position >= Length) return 0;
        var chunk = _position / SnapshotFormat.ChunkBytes;
        var content = Load(chunk)[(int)(_position % SnapshotFormat.ChunkBytes)..];
        var part = Math.Min(buffer.Length, content.Length);
        content[..part].CopyTo(buffer);
        _position += part;
        return part;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            _ => Length + offset,
        };
        ArgumentOutOfRangeException.ThrowIfNegative(target, nameof(offset));
        return _position = target;
    }

    public override void Flush()
    {
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }

    ReadOnlySpan<byte> Load(long chunk)
    {
        var start = chunk * SnapshotFormat.ChunkBytes;
        var bytes = (int)Math.Min(SnapshotFormat.ChunkBytes, Length - start);
        var content = _chunk.AsSpan(SnapshotFormat.ChunkHeaderBytes, bytes);
        if (_loaded == chunk) return content;

        _loaded = -1;
        var offset = contentStart + start + (chunk * SnapshotFormat.ChunkHeaderBytes);
        var read = file.Read(offset, _chunk.AsSpan(0, SnapshotFormat.ChunkHeaderBytes + bytes));
        if (read != SnapshotFormat.ChunkHeaderBytes + bytes)
            throw new SnapshotDamagedException(path, group, $"it ends in the middle of chunk {chunk}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(_chunk) != SnapshotFormat.ChunkChecksum(group, meta, chunk, content))
            throw new SnapshotDamagedException(path, group, $"the checksum of chunk {chunk} (content offset {start}) is wrong");
        _loaded = chunk;
        return content;
    }
}
