using Google.Protobuf.Reflection;

namespace ActorCluster.Grains;

/// <summary>
/// The kinds of replicated grains that a cluster knows. The same on every node: any node may come to lead a partition.
/// <code>var kinds = new GrainKinds().Add&lt;CartGrain&gt;("cart");</code>
/// </summary>
public sealed class GrainKinds
{
    readonly SortedDictionary<string, Func<ReplicatedGrain>> _kinds = new(StringComparer.Ordinal);
    readonly HashSet<FileDescriptor> _files = [];

    /// <summary>Names that no kind can take: partitions, and the well-known actors of a node.</summary>
    static readonly string[] Reserved = ["kv", "raft", "grains", "admin", "membership", "probe"];

    /// <summary>The built-in kinds.</summary>
    public GrainKinds() => Add<CounterGrain>(CounterGrain.KindName);

    /// <summary>All registered kinds, in order.</summary>
    public IReadOnlyCollection<string> Names => _kinds.Keys;

    /// <summary>The protobuf files of all messages and states, for the remote's serializer.</summary>
    public IReadOnlyCollection<FileDescriptor> Files => _files;

    /// <summary>Registers a kind whose grains need nothing to be made.</summary>
    public GrainKinds Add<TGrain>(string kind) where TGrain : ReplicatedGrain, new() => Add(kind, () => new TGrain());

    /// <summary>Registers a kind.</summary>
    /// <param name="kind">Its name, for ever: stored state is found under it.</param>
    /// <param name="make">Makes one grain; called for every activation, and once now, to learn its messages.</param>
    /// <exception cref="ArgumentException">The name is malformed, reserved or taken.</exception>
    public GrainKinds Add(string kind, Func<ReplicatedGrain> make)
    {
        if (GrainAddress.CheckKind(kind) is { } error) throw new ArgumentException(error, nameof(kind));
        if (Reserved.Contains(kind, StringComparer.Ordinal)) throw new ArgumentException($"kind '{kind}' is reserved", nameof(kind));
        if (!_kinds.TryAdd(kind, make)) throw new ArgumentException($"kind '{kind}' is registered already", nameof(kind));
        _files.UnionWith(make().Files);
        return this;
    }

    public bool Contains(string kind) => _kinds.ContainsKey(kind);

    /// <summary>Makes a grain of a registered kind, not yet activated.</summary>
    internal ReplicatedGrain Make(string kind) => _kinds[kind]();
}
