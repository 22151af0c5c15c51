using System.Buffers.Binary;
using System.Numerics;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// The second copy of what no leader can give back to a replica: that it exists, its first configuration, its term and its vote. One file
/// beside the log. A group has two sectors, written in turn, so that a torn write leaves the one before it. Written after the log's
/// sync and synced before the vote leaves, and only when term or vote changed: it is never ahead of the log.
/// Layout: a header sector, then pairs of sectors. A sector: checksum, length of the configuration, group, term, vote, number of
/// the write, configuration.
/// </summary>
sealed class VoteCopy : IDisposable
{
    public const string FileName = "votes";

    const string UnfinishedExtension = ".new";
    const ulong Magic = 0x53544f5652434341; // "ACCRVOTS"
    const uint Version = 1;
    const int SectorBytes = LogFormat.SectorBytes;
    const int PairBytes = 2 * SectorBytes;
    const int FixedBytes = 40;
    const int GrowthPairs = 32;

    readonly string _path;
    readonly IStorageFile _file;
    readonly SortedDictionary<GroupId, Slot> _slots = [];
    readonly SortedSet<int> _free = [];
    int _pairs;
    bool _dirty;
    bool _headerIsDamaged;

    VoteCopy(string path, IStorageFile file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>What cannot be read. It is written again when the log is sound.</summary>
    public List<LogDamage> Damages { get; } = [];

    /// <summary>Opens the copy, creating it where it is missing.</summary>
    /// <exception cref="UnsupportedFormatException">Another version wrote it.</exception>
    public static VoteCopy Open(IFileSystem files, string directory)
    {
        var path = Path.Combine(directory, FileName);
        files.CreateDirectory(directory);
        if (!files.FileExists(path)) return Create(files, directory, path);
        var copy = new VoteCopy(path, files.Open(path, FileOpening.ReadWrite));
        try
        {
            copy.Load();
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Reads the copy and changes nothing; null when there is none.</summary>
    public static VoteCopy? OpenToRead(IFileSystem files, string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!files.FileExists(path)) return null;
        var copy = new VoteCopy(path, files.Open(path, FileOpening.Read));
        copy.Load();
        return copy;
    }

    /// <summary>What is known of a group; null when its sectors are missing or one of them cannot be read, so that a newer one may be lost.</summary>
    public VoteRecord? Find(GroupId group) => _slots.TryGetValue(group, out var slot) && !slot.IsDamaged ? slot.Record : null;

    /// <summary>The configuration that a group was created with, from whichever sector can be read.</summary>
    public GroupConfig? ConfigOf(GroupId group) => _slots.TryGetValue(group, out var slot) ? slot.Record.Config : null;

    /// <summary>Groups that have a sector which can be read.</summary>
    public IEnumerable<GroupId> Groups => _slots.Keys;

    /// <summary>Writes the header again when it could not be read. The rest comes back with <see cref="Write"/>.</summary>
    public void RepairHeader()
    {
        if (_headerIsDamaged) WriteHeader();
        _headerIsDamaged = false;
    }

    /// <summary>Makes room for so many more groups.</summary>
    /// <exception cref="DiskFullException">There is none.</exception>
    public void Reserve(int groups)
    {
        while (_free.Count < groups) Grow();
    }

    /// <summary>Notes term and vote where they changed. Durable after <see cref="Sync"/>.</summary>
    public void Write(GroupId group, ulong term, NodeUid vote, GroupConfig config)
    {
        if (_slots.TryGetValue(group, out var slot) && !slot.IsDamaged && slot.Record.Term == term && slot.Record.Vote == vote) return;
        slot ??= new Slot { Pair = TakePair() };
        slot.Record = new VoteRecord(term, vote, config);
        slot.Number++;
        slot.UseSecond = !slot.UseSecond;
        WriteSector(slot, group);

        // What was damaged must not come up again beside the next one.
        if (slot.IsDamaged)
        {
            slot.UseSecond = !slot.UseSecond;
            slot.Number++;
            WriteSector(slot, group);
            slot.IsDamaged = false;
        }

        _slots[group] = slot;
        _dirty = true;
    }

    public void Remove(GroupId group)
    {
        if (!_slots.Remove(group, out var slot)) return;
        _file.Write(PlaceOf(slot.Pair, second: false), new byte[PairBytes]);
        _free.Add(slot.Pair);
        _dirty = true;
    }

    public void Sync()
    {
        if (!_dirty) return;
        _file.Sync();
        _dirty = false;
    }

    public void Dispose() => _file.Dispose();

    static VoteCopy Create(IFileSystem files, string directory, string path)
    {
        // Under its name only when it is whole: a header that cannot be read is damage.
        var file = files.Open(path + UnfinishedExtension, FileOpening.Create);
        var copy = new VoteCopy(path, file);
        copy.WriteHeader();
        copy.Grow();
        copy.Sync();
        files.Rename(path + UnfinishedExtension, path);
        files.SyncDirectory(directory);
        return copy;
    }

    void WriteHeader()
    {
        var header = new byte[SectorBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), Crc32C.Of(header.AsSpan(0, 12)));
        _file.Write(0, header);
        _dirty = true;
    }

    void Load()
    {
        var bytes = new byte[_file.Length];
        var read = _file.Read(0, bytes);
        var header = bytes.AsSpan(0, Math.Min(read, SectorBytes));
        var isSound = header.Length == SectorBytes
            && BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) == Crc32C.Of(header[..12]);
        _headerIsDamaged = !isSound;
        if (!isSound) Damages.Add(Damage(0, null, "the header cannot be read"));
        else if (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) is var version && version != Version) throw new UnsupportedFormatException(_path, version, Version);

        _pairs = Math.Max(0, (read - SectorBytes) / PairBytes);
        for (var pair = 0; pair < _pairs; pair++) LoadPair(bytes, pair);
    }

    void LoadPair(ReadOnlySpan<byte> file, int pair)
    {
        var slot = new Slot { Pair = pair };
        GroupId group = default;
        var known = false;
        foreach (var second in (ReadOnlySpan<bool>)[false, true])
        {
            var place = PlaceOf(pair, second);
            var sector = file.Slice((int)place, SectorBytes);
            if (!sector.ContainsAnyExcept((byte)0)) continue;
            if (TryReadSector(sector, place, out var read, out var record, out var number))
            {
                if (known && number < slot.Number) continue;
                (group, slot.Record, slot.Number, slot.UseSecond, known) = (read, record, number, second, true);
            }
            else
            {
                slot.IsDamaged = true;
            }
        }

        if (slot.IsDamaged) Damages.Add(Damage(PlaceOf(pair, second: false), known ? group : null, "a sector cannot be read"));
        if (!known) _free.Add(pair);
        else if (!_slots.TryGetValue(group, out var other) || other.Number < slot.Number) _slots[group] = slot;
    }

    static bool TryReadSector(ReadOnlySpan<byte> sector, long place, out GroupId group, out VoteRecord record, out ulong number)
    {
        (group, record, number) = (default, default, 0);
        var configBytes = BinaryPrimitives.ReadInt32LittleEndian(sector[4..]);
        if (configBytes is < 0 or > SectorBytes - FixedBytes) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(sector) != Checksum(sector[..(FixedBytes + configBytes)], place)) return false;
        group = new GroupId(BinaryPrimitives.ReadUInt64LittleEndian(sector[8..]));
        number = BinaryPrimitives.ReadUInt64LittleEndian(sector[32..]);
        record = new VoteRecord(
            BinaryPrimitives.ReadUInt64LittleEndian(sector[16..]),
            new NodeUid(BinaryPrimitives.ReadUInt64LittleEndian(sector[24..])),
            configBytes == 0 ? null : GroupConfig.Parser.ParseFrom(sector.Slice(FixedBytes, configBytes)));
        return true;
    }

    void WriteSector(Slot slot, GroupId group)
    {
        Span<byte> sector = stackalloc byte[SectorBytes];
        sector.Clear();
        var record = slot.Record;
        var configBytes = record.Config?.CalculateSize() ?? 0;
        if (configBytes > SectorBytes - FixedBytes) configBytes = 0; // more members than a group may have (G9): term and vote matter more
        BinaryPrimitives.WriteInt32LittleEndian(sector[4..], configBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[8..], group.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[16..], record.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[24..], record.Vote.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[32..], slot.Number);
        if (configBytes > 0) record.Config!.WriteTo(sector.Slice(FixedBytes, configBytes));
        var place = PlaceOf(slot.Pair, slot.UseSecond);
        BinaryPrimitives.WriteUInt32LittleEndian(sector, Checksum(sector[..(FixedBytes + configBytes)], place));
        _file.Write(place, sector);
    }

    int TakePair()
    {
        if (_free.Count == 0) Grow();
        var pair = _free.Min;
        _free.Remove(pair);
        return pair;
    }

    void Grow()
    {
        _file.Preallocate(PlaceOf(_pairs + GrowthPairs, second: false));
        for (var i = 0; i < GrowthPairs; i++) _free.Add(_pairs++);
    }

    LogDamage Damage(long offset, GroupId? group, string reason) => new(FileName, offset, group, Index: null, reason);

    static long PlaceOf(int pair, bool second) => SectorBytes + ((long)pair * PairBytes) + (second ? SectorBytes : 0);

    static uint Checksum(ReadOnlySpan<byte> sector, long place) =>
        ~Crc32C.Continue(BitOperations.Crc32C(uint.MaxValue, (ulong)place), sector[4..]);

    sealed class Slot
    {
        public required int Pair { get; init; }

        public VoteRecord Record { get; set; }

        /// <summary>Counts the writes of the pair: the sector with the higher one is the newer.</summary>
        public ulong Number { get; set; }

        public bool UseSecond { get; set; }

        public bool IsDamaged { get; set; }
    }
}

/// <summary>Term, vote and first configuration of a replica as its second copy has them.</summary>
readonly record struct VoteRecord(ulong Term, NodeUid Vote, GroupConfig? Config);
