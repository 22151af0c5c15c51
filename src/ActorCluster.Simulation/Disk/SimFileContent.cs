using ActorCluster.Raft;

namespace ActorCluster.Simulation.Disk;

/// <summary>
/// The bytes of a file as a running process sees them, and for everything pending what was there before, so that a
/// crash can go back to the durable state and keep any part of what came since.
/// </summary>
sealed class SimFileContent
{
    const int SectorBytes = 512;
    readonly List<Change> _pending = [];
    byte[] _bytes = [];

    /// <summary>Reads beyond what was ever written, and below this, give zeros.</summary>
    public long Length { get; private set; }

    public int Read(long offset, Span<byte> buffer)
    {
        if (offset >= Length) return 0;
        var count = (int)Math.Min(buffer.Length, Length - offset);
        var stored = (int)Math.Clamp(_bytes.Length - offset, 0, count);
        if (stored > 0) _bytes.AsSpan((int)offset, stored).CopyTo(buffer);
        buffer[stored..count].Clear();
        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        var before = new byte[bytes.Length];
        var had = Read(offset, before);
        before.AsSpan(had).Clear();
        _pending.Add(new Change(offset, before, bytes.ToArray(), Length, Math.Max(Length, offset + bytes.Length)));
        Put(offset, bytes);
        Length = Math.Max(Length, offset + bytes.Length);
    }

    public void SetLength(long length)
    {
        byte[] cut = [];
        if (length < Length)
        {
            // What is cut off must come back when a crash loses the cut, and read as zeros when the file grows again.
            cut = new byte[Math.Max(0, Math.Min(Length, _bytes.Length) - length)];
            Read(length, cut);
        }

        _pending.Add(new Change(length, cut, null, Length, length));
        if (cut.Length > 0) _bytes.AsSpan((int)length, cut.Length).Clear();
        Length = length;
    }

    /// <summary>The medium changes by itself: a bit, or a sector that reads as zeros, or that holds what belongs elsewhere.</summary>
    public void Damage(long offset, IRandomSource random)
    {
        if (offset >= _bytes.Length) return;
        var sector = _bytes.AsSpan((int)(offset - (offset % SectorBytes)));
        if (sector.Length > SectorBytes) sector = sector[..SectorBytes];
        switch (random.Next(3))
        {
            case 0:
                _bytes[offset] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                sector.Clear();
                break;
            default:
                var other = random.Next((_bytes.Length + SectorBytes - 1) / SectorBytes) * SectorBytes;
                var copied = Math.Min(sector.Length, _bytes.Length - other);
                _bytes.AsSpan(other, copied).CopyTo(sector);
                break;
        }
    }

    public void Sync() => _pending.Clear();

    /// <summary>Goes back to what is durable plus the part of the pending changes that the crash keeps; true when something was lost.</summary>
    public bool Crash(SimDisk disk, IRandomSource random, CrashManner manner)
    {
        var changes = _pending.ToArray();
        _pending.Clear();
        for (var i = changes.Length - 1; i >= 0; i--) Undo(changes[i]);

        var prefix = random.Next(changes.Length + 1);
        var lost = false;
        for (var i = 0; i < changes.Length; i++)
        {
            var part = manner switch
            {
                CrashManner.KeepAll => Part.Whole,
                CrashManner.LoseAll => Part.Nothing,
                CrashManner.KeepPrefix => i < prefix ? Part.Whole : i == prefix ? Part.Torn : Part.Nothing,
                _ => (Part)random.Next(3),
            };
            if (part == Part.Whole)
            {
                Redo(changes[i]);
                continue;
            }

            lost = true;
            if (part == Part.Torn && changes[i].Written is not null)
            {
                disk.TornWrites++;
                Tear(changes[i], random);
            }
        }

        return lost;
    }

    void Undo(Change change)
    {
        Put(change.Offset, change.Before);
        if (change.LengthBefore < Length) Zero(change.LengthBefore, Length);
        Length = change.LengthBefore;
    }

    void Redo(Change change)
    {
        if (change.Written is { } written)
        {
            Put(change.Offset, written);
            Length = Math.Max(Length, change.Offset + written.Length);
        }
        else
        {
            if (change.LengthAfter < Length) Zero(change.LengthAfter, Length);
            Length = change.LengthAfter;
        }
    }

    /// <summary>Keeps a beginning of the write, cut at any byte, or any subset of its sectors.</summary>
    void Tear(Change change, IRandomSource random)
    {
        var written = change.Written!;
        if (random.Chance(0.5))
        {
            var kept = random.Next(written.Length + 1);
            Put(change.Offset, written.AsSpan(0, kept));
            Length = Math.Max(Length, change.Offset + kept);
            return;
        }

        for (var from = 0; from < written.Length;)
        {
            var sectorEnd = (int)Math.Min(written.Length, from + SectorBytes - ((change.Offset + from) % SectorBytes));
            if (random.Chance(0.5))
            {
                Put(change.Offset + from, written.AsSpan(from, sectorEnd - from));
                Length = Math.Max(Length, change.Offset + sectorEnd);
            }

            from = sectorEnd;
        }
    }

    void Put(long offset, ReadOnlySpan<byte> bytes)
    {
        var end = checked((int)(offset + bytes.Length));
        if (end > _bytes.Length) Array.Resize(ref _bytes, Math.Max(end, Math.Min(_bytes.Length * 2, 1 << 30)));
        bytes.CopyTo(_bytes.AsSpan((int)offset));
    }

    void Zero(long from, long to)
    {
        var end = (int)Math.Min(to, _bytes.Length);
        if (from < end) _bytes.AsSpan((int)from, end - (int)from).Clear();
    }

    enum Part
    {
        Whole,
        Nothing,
        Torn,
    }

    /// <summary>A write (Written) or a change of length; Before is what the bytes at Offset were.</summary>
    sealed record Change(long Offset, byte[] Before, byte[]? Written, long LengthBefore, long LengthAfter);
}
