using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Membership.Storage;

/// <summary>
/// Who the node is, kept in its data directory: the uid that is made once, the incarnation that rises with every start,
/// the cluster it belongs to, and what it has promised while a cluster forms. Everything is durable before a method
/// returns, so nothing is ever said to another node that a crash could take back. Holds the directory's lock.
/// Safe from any thread.
/// </summary>
public sealed class NodeIdentityStore : IDisposable
{
    /// <summary>Longest cluster id, in UTF-8 bytes.</summary>
    public const int MaxClusterIdBytes = 256;

    /// <summary>Most addresses kept of other members.</summary>
    public const int MaxKnownAddresses = 1024;

    const string LockName = "lock";
    const string IdentityName = "identity";
    const string FormingName = "forming";
    const string KnownName = "known-members";
    const string LogDirectory = "log";

    readonly object _gate = new();
    readonly IDisposable _lock;
    readonly AtomicFile _identity;
    readonly AtomicFile _forming;
    readonly AtomicFile _known;
    ulong _incarnation;
    string _clusterId = "";
    byte[] _formingState = [];
    IReadOnlyList<string> _knownAddresses = [];

    NodeIdentityStore(IFileSystem files, string directory, IDisposable held)
    {
        _lock = held;
        _identity = new AtomicFile(files, Path.Combine(directory, IdentityName));
        _forming = new AtomicFile(files, Path.Combine(directory, FormingName));
        _known = new AtomicFile(files, Path.Combine(directory, KnownName));
    }

    public NodeUid Uid { get; private set; }

    /// <summary>Counts the starts of this node and its rejoins, from 1.</summary>
    public ulong Incarnation
    {
        get
        {
            lock (_gate) return _incarnation;
        }
    }

    /// <summary>The cluster that the node belongs to; empty while it is blank.</summary>
    public string ClusterId
    {
        get
        {
            lock (_gate) return _clusterId;
        }
    }

    /// <summary>What <see cref="SaveForming"/> was last given; empty when nothing.</summary>
    public ReadOnlyMemory<byte> FormingState
    {
        get
        {
            lock (_gate) return _formingState;
        }
    }

    /// <summary>Addresses of members as last saved: where to look for the cluster when the seeds are gone. A hint.</summary>
    public IReadOnlyList<string> KnownAddresses
    {
        get
        {
            lock (_gate) return _knownAddresses;
        }
    }

    /// <summary>Is this the data directory of a node?</summary>
    public static bool Exists(IFileSystem files, string directory) => files.FileExists(Path.Combine(directory, IdentityName));

    /// <summary>Takes the lock of a data directory and nothing else.</summary>
    /// <exception cref="FileLockedException">Another process uses the directory.</exception>
    public static IDisposable Lock(IFileSystem files, string directory) => files.Lock(Path.Combine(directory, LockName));

    /// <summary>
    /// Locks the data directory, makes the uid if there is none, and raises the incarnation.
    /// </summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">The data directory; created where needed.</param>
    /// <param name="random">Where a new uid comes from. It must not repeat between nodes or between starts.</param>
    /// <exception cref="FileLockedException">Another process uses the directory.</exception>
    /// <exception cref="FileDamagedException">The identity cannot be read, or is missing beside data that had one.</exception>
    public static NodeIdentityStore Open(IFileSystem files, string directory, IRandomSource random)
    {
        files.CreateDirectory(directory);
        var held = Lock(files, directory);
        try
        {
            var store = new NodeIdentityStore(files, directory, held);
            store.Load(files, directory, random);
            return store;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>For a rejoin after a removal: the next incarnation, durable.</summary>
    public ulong RaiseIncarnation()
    {
        lock (_gate)
        {
            SaveIdentity(_incarnation + 1, _clusterId);
            return _incarnation;
        }
    }

    /// <summary>The node belongs to this cluster from now on. It can be said once; saying the same again has no effect.</summary>
    public void SetClusterId(string clusterId)
    {
        ArgumentException.ThrowIfNullOrEmpty(clusterId);
        Invariant.Check(
            Encoding.UTF8.GetByteCount(clusterId) <= MaxClusterIdBytes,
            $"the cluster id has {Encoding.UTF8.GetByteCount(clusterId)} bytes, the limit is {MaxClusterIdBytes}");
        lock (_gate)
        {
            if (_clusterId == clusterId) return;
            Invariant.Check(_clusterId.Length == 0, $"the node belongs to cluster {_clusterId} and cannot change to {clusterId}");
            SaveIdentity(_incarnation, clusterId);
        }
    }

    /// <summary>Keeps the state of forming (promises made), opaque here. Durable when it returns.</summary>
    public void SaveForming(ReadOnlySpan<byte> state)
    {
        lock (_gate)
        {
            var copy = state.ToArray();
            _forming.Write(copy);
            _formingState = copy;
        }
    }

    /// <summary>Keeps where other members were last seen; only the first <see cref="MaxKnownAddresses"/>.</summary>
    public void SaveKnownAddresses(IReadOnlyList<string> addresses)
    {
        lock (_gate)
        {
            if (addresses.SequenceEqual(_knownAddresses, StringComparer.Ordinal)) return;
            var kept = addresses.Take(MaxKnownAddresses).ToArray();
            _known.Write(Encode(writer =>
            {
                writer.Write(kept.Length);
                foreach (var address in kept) writer.Write(address);
            }));
            _knownAddresses = kept;
        }
    }

    public void Dispose() => _lock.Dispose();

    void Load(IFileSystem files, string directory, IRandomSource random)
    {
        if (_identity.Read() is { } content)
        {
            Decode(content, IdentityName, reader =>
            {
                Uid = new NodeUid(reader.ReadUInt64());
                _incarnation = reader.ReadUInt64();
                _clusterId = reader.ReadString();
            });
            if (Uid.IsNone) throw new FileDamagedException(IdentityName, "it names no node");
        }
        else
        {
            // A blank node may form or join a cluster; one that lost its identity beside its log would do so with old votes.
            if (NodeLog.Exists(files, Path.Combine(directory, LogDirectory)) || files.FileExists(Path.Combine(directory, FormingName)))
                throw new FileDamagedException(Path.Combine(directory, IdentityName), "it is missing, but the directory holds a node's data");
            do Uid = new NodeUid(random.NextUInt64());
            while (Uid.IsNone);
        }

        _formingState = _forming.Read() ?? [];
        if (_known.Read() is { } known)
        {
            Decode(known, KnownName, reader =>
            {
                var addresses = new string[Math.Clamp(reader.ReadInt32(), 0, MaxKnownAddresses)];
                for (var i = 0; i < addresses.Length; i++) addresses[i] = reader.ReadString();
                _knownAddresses = addresses;
            });
        }
        SaveIdentity(_incarnation + 1, _clusterId);
    }

    void SaveIdentity(ulong incarnation, string clusterId)
    {
        _identity.Write(Encode(writer =>
        {
            writer.Write(Uid.Value);
            writer.Write(incarnation);
            writer.Write(clusterId);
        }));
        _incarnation = incarnation;
        _clusterId = clusterId;
    }

    static byte[] Encode(Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true)) write(writer);
        return stream.ToArray();
    }

    static void Decode(byte[] content, string name, Action<BinaryReader> read)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(content), Encoding.UTF8);
            read(reader);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            throw new FileDamagedException(name, e.Message);
        }
    }
}
