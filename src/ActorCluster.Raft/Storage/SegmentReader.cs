namespace ActorCluster.Raft.Storage;

/// <summary>Reads a segment from front to back through one window, so that recovery does not call the system per record.</summary>
sealed class SegmentReader(IStorageFile file)
{
    const int WindowBytes = 1024 * 1024;

    byte[] _window = new byte[Math.Clamp(file.Length, LogFormat.SectorBytes, WindowBytes)];
    long _start;
    int _count;

    public long Length { get; } = file.Length;

    /// <summary>Up to <paramref name="bytes"/> bytes from an offset, fewer only at the end of the file. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Read(long offset, int bytes)
    {
        bytes = (int)Math.Min(bytes, Math.Max(0, Length - offset));
        if (offset < _start || offset + bytes > _start + _count)
        {
            if (_window.Length < bytes) _window = new byte[bytes];
            _start = offset;
            _count = file.Read(offset, _window);
            bytes = Math.Min(bytes, _count);
        }
        return _window.AsSpan((int)(offset - _start), bytes);
    }
}
