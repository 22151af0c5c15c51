using ActorCluster.Keyspace;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Grains;

/// <summary>The applied state of a replicated grain.</summary>
/// <param name="State">Its protobuf message, as bytes; empty before the first turn that changed it.</param>
/// <param name="Epoch">Of the activation that wrote it.</param>
/// <param name="Version">Log index of the last change; 0 before the first.</param>
public readonly record struct StoredGrain(ByteString State, Epoch Epoch, ulong Version)
{
    /// <summary>A grain that never changed.</summary>
    public static readonly StoredGrain New = new(ByteString.Empty, Epoch.None, 0);
}

/// <summary>
/// The replicated grains of a partition. One command is one turn: it carries the new state and the reply, the session is
/// the partition command's; commit makes all of it true at once.
/// Invariants: a grain's epoch never falls; a turn is applied to exactly the state that it was computed from.
/// </summary>
public sealed class GrainStatePart : IPartitionPart
{
    /// <summary>Rough cost of a grain beside its name and state, in bytes.</summary>
    const int OverheadBytes = 160;

    OrderedStore<StoredGrain> _grains = new();

    public const string PartName = "grains";

    public string Name => PartName;

    public long Bytes { get; private set; }

    public int Count => _grains.Count;

    /// <summary>A grain's applied state; <see cref="StoredGrain.New"/> when it has none.</summary>
    public StoredGrain Find(string kind, string identity) => _grains.TryGet(Key(kind, identity), out var grain) ? grain : StoredGrain.New;

    public CommandReply Apply(ByteString payload, in ApplyContext context) => Apply(GrainCommand.Parser.ParseFrom(payload), context);

    /// <summary>Applies a turn, or refuses it (NotExecuted): the caller drops its activation and starts again from applied state.</summary>
    public CommandReply Apply(GrainCommand command, in ApplyContext context)
    {
        var key = Key(command.Kind, command.Identity);
        var epoch = Epoch.From(command.Epoch);
        var known = _grains.TryGet(key, out var grain);
        if (!known) grain = StoredGrain.New;
        if (epoch < grain.Epoch) return Refuse($"{key}: epoch {epoch} was superseded by {grain.Epoch}");
        if (command.BaseVersion != grain.Version)
            return Refuse($"{key}: the turn was computed from version {command.BaseVersion}, the applied one is {grain.Version}");

        if (command.HasState)
        {
            _grains.Set(key, new StoredGrain(command.State, epoch, context.Index), out _);
            Bytes += known ? command.State.Length - grain.State.Length : Cost(key, command.State);
        }

        return new CommandReply
        {
            Found = known,
            Version = command.HasState ? context.Index : grain.Version,
            PartReply = new StoredGrainReply { ReplyType = command.ReplyType, Reply = command.Reply }.ToByteString(),
        };

        static CommandReply Refuse(string message) => new() { Failure = Failures.NotExecuted(ErrorCode.StaleEpoch, message) };
    }

    public IEnumerable<ByteString> Capture() => Chunks(_grains.Capture());

    public IPartRestore BeginRestore() => new Restore(this);

    static IEnumerable<ByteString> Chunks(OrderedStore<StoredGrain>.View view)
    {
        const int chunkBytes = 256 * 1024;
        var chunk = new GrainStates();
        var bytes = 0;
        foreach (var (key, grain) in view.Entries())
        {
            var slash = key.IndexOf('/', StringComparison.Ordinal);
            chunk.Grains.Add(new GrainState
            {
                Kind = key[..slash],
                Identity = key[(slash + 1)..],
                State = grain.State,
                Epoch = grain.Epoch.ToMessage(),
                Version = grain.Version,
            });
            bytes += OverheadBytes + grain.State.Length;
            if (bytes < chunkBytes) continue;
            yield return chunk.ToByteString();
            chunk = new GrainStates();
            bytes = 0;
        }

        if (chunk.Grains.Count > 0) yield return chunk.ToByteString();
    }

    // Kinds have no '/', so the key is unique and the grains of a kind are neighbours.
    static string Key(string kind, string identity) => string.Concat(kind, "/", identity);

    static long Cost(string key, ByteString state) => OverheadBytes + (2L * key.Length) + state.Length;

    sealed class Restore(GrainStatePart part) : IPartRestore
    {
        readonly OrderedStore<StoredGrain> _grains = new();
        long _bytes;

        public void Add(ByteString chunk)
        {
            GrainStates states;
            try
            {
                states = GrainStates.Parser.ParseFrom(chunk);
            }
            catch (InvalidProtocolBufferException e)
            {
                throw new InvalidDataException("partition snapshot: a chunk of part 'grains' is not a GrainStates", e);
            }

            foreach (var state in states.Grains)
            {
                var key = Key(state.Kind, state.Identity);
                if (_grains.Set(key, new StoredGrain(state.State, Epoch.From(state.Epoch), state.Version), out _))
                    throw new InvalidDataException($"partition snapshot: grain {key} is there twice");
                _bytes += Cost(key, state.State);
            }
        }

        public void Complete()
        {
            part._grains = _grains;
            part.Bytes = _bytes;
        }
    }
}
