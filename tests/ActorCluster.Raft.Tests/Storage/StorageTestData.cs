using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using Google.Protobuf;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>Short ways to say what goes into a log.</summary>
static class StorageTestData
{
    public const string Directory = "/data/log";
    public const string VotesDirectory = Directory + "/votes";
    public const string VotesFile = VotesDirectory + "/votes";

    public static readonly GroupId G1 = new(1);
    public static readonly GroupId G2 = new(1002);
    public static readonly NodeLogOptions SmallSegments = new(SegmentBytes: 8 * 1024);

    public static GroupConfig Config(params ulong[] voters) => new() { Voters = { voters } };

    public static Entry Entry(ulong index, ulong term, string payload = "x", EntryKind kind = EntryKind.Command) =>
        new() { Index = index, Term = term, Kind = kind, Payload = ByteString.CopyFromUtf8(payload) };

    /// <summary>Entries first … last of one term, each with a payload that tells index and term.</summary>
    public static Entry[] Entries(ulong first, ulong last, ulong term, int payloadChars = 0)
    {
        var entries = new List<Entry>();
        for (var index = first; index <= last; index++) entries.Add(Entry(index, term, $"{index}/{term}".PadRight(payloadChars)));
        return [.. entries];
    }

    public static SnapshotMeta Meta(ulong index, ulong term) => new() { Index = index, Term = term, Config = Config(1, 2, 3), SizeBytes = 7 };

    public static LogWrite Create(GroupId group, params Entry[] entries) =>
        new(group, new HardState(1, new NodeUid(1), 0), entries, Config: Config(1, 2, 3));

    public static LogWrite Append(GroupId group, params Entry[] entries) => new(group, HardState: null, entries);

    public static LogWrite Vote(GroupId group, ulong term, ulong vote, ulong commit = 0) => new(group, new HardState(term, new NodeUid(vote), commit), []);

    public static LogWrite Compact(GroupId group, ulong index, ulong term) => new(group, HardState: null, [], Snapshot: Meta(index, term));

    /// <summary>One line per group, with everything that a group gets back from its log.</summary>
    public static string Text(IEnumerable<RecoveredGroup> groups) => string.Join('\n', groups.Select(Text));

    public static string Text(RecoveredGroup group) =>
        $"{group.Group}: term {group.HardState.Term} vote {group.HardState.Vote} commit {group.HardState.Commit} " +
        $"config {group.InitialConfig} snapshot {group.Snapshot} " +
        $"entries {string.Join(' ', group.Entries.Select(e => $"{e.Index}/{e.Term}/{e.Kind}/{StableHash.Of(e.Payload.Span):x}"))}";

    public static string ReadBack(IFileSystem files, NodeLogOptions? options = null)
    {
        using var log = NodeLog.Open(files, Directory, options);
        return Text(log.Recovered);
    }

    public static void AppendAndSync(this NodeLog log, params LogWrite[] batch)
    {
        log.Append(batch);
        log.Sync();
    }

    public static byte[] ReadFile(this IFileSystem files, string path)
    {
        using var file = files.Open(path, FileOpening.Read);
        var bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.Read(0, bytes));
        return bytes;
    }

    public static void WriteFile(this IFileSystem files, string path, ReadOnlySpan<byte> bytes)
    {
        using var file = files.Open(path, FileOpening.Create);
        file.Write(0, bytes);
        file.Sync();
        files.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Names of the segments, oldest first.</summary>
    public static IReadOnlyList<string> Segments(this IFileSystem files) =>
        [.. files.ListFiles(Directory).Where(name => name.EndsWith(".log", StringComparison.Ordinal))];

    /// <summary>Path of the newest segment.</summary>
    public static string LastSegment(this IFileSystem files) => Path.Combine(Directory, files.Segments()[^1]);

    /// <summary>All files of the log's directory by name.</summary>
    public static Dictionary<string, byte[]> Files(this IFileSystem files, string directory = Directory) =>
        files.ListFiles(directory).ToDictionary(name => name, name => files.ReadFile(Path.Combine(directory, name)), StringComparer.Ordinal);
}
