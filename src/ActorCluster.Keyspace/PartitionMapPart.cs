using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;

namespace ActorCluster.Keyspace;

/// <summary>
/// The partition map as a part of the coordinator's replicated state: one map, replaced only by its successor, agreed
/// through the coordinator's log. Apply is a pure function of the log.
/// Invariant: versions rise by one; a group id that was ever used is never given to another partition.
/// </summary>
public sealed class PartitionMapPart
{
    ulong _highestGroup;

    /// <summary>Name under which the part is registered with the coordinator.</summary>
    public string Name => "partitions";

    /// <summary>The map in force, or null before the first.</summary>
    public PartitionMapView? Current { get; private set; }

    /// <summary>The command that brings the first map into force.</summary>
    public static PartitionMapCommand First(PartitionMap map) => new() { ExpectedVersion = 0, Map = map };

    /// <summary>Applies a committed command. A refusal changes nothing and says the version in force.</summary>
    public PartitionMapReply Apply(PartitionMapCommand command)
    {
        var version = Current?.Version ?? 0;
        if (command.ExpectedVersion != version)
            return Refuse(ErrorCode.Conflict, $"the partition map is at version {version}, not {command.ExpectedVersion}");
        if (command.Map is not { } map) return Refuse(ErrorCode.InvalidArgument, "map is missing");
        if (map.Version != version + 1) return Refuse(ErrorCode.InvalidArgument, $"version {map.Version} does not follow {version}");
        if (PartitionMapView.Validate(map) is { } error) return Refuse(ErrorCode.InvalidArgument, error);

        foreach (var partition in map.Partitions)
        {
            var group = new GroupId(partition.Group);
            if (partition.Group <= _highestGroup && Current?.ByGroup(group) is null)
                return Refuse(ErrorCode.InvalidArgument, $"partition {partition.Id}: group {group} was used before");
            if (Current?.ByGroup(group) is { } before && (before.Id != partition.Id || before.Generation > partition.Generation))
                return Refuse(ErrorCode.InvalidArgument, $"partition {partition.Id}: group {group} belongs to partition {before.Id}, generation {before.Generation}");
        }

        Current = PartitionMapView.Of(map);
        foreach (var partition in map.Partitions) _highestGroup = Math.Max(_highestGroup, partition.Group);
        return new PartitionMapReply { Version = map.Version };

        PartitionMapReply Refuse(ErrorCode code, string message) => new()
        {
            Version = version,
            Failure = Failures.NotExecuted(code, message),
        };
    }

    /// <summary>The state for a snapshot.</summary>
    public PartitionMapState Save() => new() { Map = Current?.Map, HighestGroup = _highestGroup };

    /// <summary>Replaces the state by a saved one.</summary>
    /// <exception cref="System.IO.InvalidDataException">It is not a valid state.</exception>
    public void Restore(PartitionMapState state)
    {
        Current = state.Map is null ? null : PartitionMapView.Of(state.Map);
        _highestGroup = state.HighestGroup;
    }

    /// <summary>The state for a snapshot, as bytes.</summary>
    public ByteString SaveBytes() => Save().ToByteString();
}
