using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;

namespace ActorCluster.Keyspace;

/// <summary>
/// The partition map as a part of the coordinator's replicated state: built from the cluster that was formed, then replaced
/// only by its successor. A pure function of the coordinator's log.
/// Invariant: versions rise by one; a group id that was ever used is never given to another partition.
/// </summary>
public sealed class PartitionMapPart : ICoordinatorPart
{
    ulong _highestGroup;

    /// <summary>Name under which the part is registered with the coordinator.</summary>
    public const string PartName = "partitions";

    public string Name => PartName;

    /// <summary>The map in force, or null before the cluster is formed.</summary>
    public PartitionMapView? Current { get; private set; }

    public PartitionMap? Partitions => Current?.Map;

    /// <summary>The first map: replicas over the first members in the order of their agreement.</summary>
    public void Formed(FormedCluster cluster)
    {
        var members = cluster.Members.Select(m => new NodeUid(m.Uid)).ToArray();
        Take(PartitionMapView.BuildFirst((int)cluster.Partitions, (int)cluster.ReplicationFactor, members));
    }

    public PartResult Apply(ByteString command, CommittedView view)
    {
        var before = Current;
        var reply = Apply(PartitionMapCommand.Parser.ParseFrom(command));
        return new PartResult(!ReferenceEquals(before, Current), reply);
    }

    /// <summary>Applies a committed command. A refusal changes nothing and says the version in force.</summary>
    public PartitionMapReply Apply(PartitionMapCommand command)
    {
        var version = Current?.Version ?? 0;
        if (command.Settled is { } settled) return Settle(settled);
        if (command.ExpectedVersion != version)
            return Refuse(ErrorCode.Conflict, $"the partition map is at version {version}, not {command.ExpectedVersion}");
        if (command.Map is not { } map) return Refuse(ErrorCode.InvalidArgument, "map is missing");
        if (map.Version != version + 1) return Refuse(ErrorCode.InvalidArgument, $"version {map.Version} does not follow {version}");
        if (PartitionMapView.Validate(map) is { } error) return Refuse(ErrorCode.InvalidArgument, error);

        foreach (var partition in map.Partitions)
        {
            var group = new GroupId(partition.Group);
            var before = Current?.ByGroup(group);
            if (before is null && partition.Group <= _highestGroup)
                return Refuse(ErrorCode.InvalidArgument, $"partition {partition.Id}: group {group} was used before");
            if (before is not null && (before.Id != partition.Id || before.Generation > partition.Generation))
                return Refuse(ErrorCode.InvalidArgument, $"partition {partition.Id}: group {group} belongs to partition {before.Id}, generation {before.Generation}");
        }

        Take(map);
        return new PartitionMapReply { Version = map.Version };

        PartitionMapReply Refuse(ErrorCode code, string message) => new()
        {
            Version = version,
            Failure = Failures.NotExecuted(code, message),
        };
    }

    /// <summary>A report about another change than the last one says nothing about that, and changes nothing.</summary>
    PartitionMapReply Settle(ReplicasSettled settled)
    {
        var partition = Current?.ById(settled.Partition);
        if (partition is { IsSettled: false } && partition.ReplicasVersion == settled.ReplicasVersion)
        {
            var map = Current!.Map.Clone();
            map.Version++;
            map.Partitions.Single(p => p.Id == settled.Partition).Holders.Clear();
            Take(map);
        }

        return new PartitionMapReply { Version = Current?.Version ?? 0 };
    }

    public ByteString Save() => new PartitionMapState { Map = Current?.Map, HighestGroup = _highestGroup }.ToByteString();

    public void Restore(ByteString state)
    {
        PartitionMapState saved;
        try
        {
            saved = PartitionMapState.Parser.ParseFrom(state);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException("not a state of the part 'partitions'", e);
        }

        Current = saved.Map is null ? null : PartitionMapView.Of(saved.Map);
        _highestGroup = saved.HighestGroup;
    }

    void Take(PartitionMap map)
    {
        Current = PartitionMapView.Of(map);
        foreach (var partition in map.Partitions) _highestGroup = Math.Max(_highestGroup, partition.Group);
    }
}
