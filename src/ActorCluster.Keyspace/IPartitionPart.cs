using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Keyspace;

/// <summary>Where and when in the log a command is applied.</summary>
/// <param name="Index">Its log index: the version of what it writes.</param>
/// <param name="Term">Its log term.</param>
/// <param name="TimeMs">The partition's time, milliseconds since 1970: stamped by leaders, never falling.</param>
public readonly record struct ApplyContext(ulong Index, ulong Term, ulong TimeMs);

/// <summary>
/// State that another project keeps in a partition's replicated state machine (replicated grains). One caller at a time;
/// apply is a pure function of the log.
/// </summary>
public interface IPartitionPart
{
    /// <summary>Its name in the log and in snapshots; never changes.</summary>
    string Name { get; }

    /// <summary>Estimate of the memory that it takes, in bytes.</summary>
    long Bytes { get; }

    /// <summary>
    /// Applies a committed command. A reply whose failure is NotExecuted promises that nothing changed; it is not kept with
    /// the session, so that the same sequence can be tried again.
    /// </summary>
    CommandReply Apply(ByteString payload, in ApplyContext context);

    /// <summary>
    /// The state as it is now, cheap to take; the chunks are made while applying goes on, perhaps on another thread, in an
    /// order that depends on the state only. A chunk stays below <see cref="PartitionSnapshots.MaxChunkBytes"/>.
    /// </summary>
    IEnumerable<ByteString> Capture();

    /// <summary>Begins to replace the whole state by one that <see cref="Capture"/> wrote.</summary>
    IPartRestore BeginRestore();
}

/// <summary>A state on its way from a snapshot into a part; nothing shows before <see cref="Complete"/>.</summary>
public interface IPartRestore
{
    /// <exception cref="System.IO.InvalidDataException">The chunk is not one of this part.</exception>
    void Add(ByteString chunk);

    void Complete();
}
