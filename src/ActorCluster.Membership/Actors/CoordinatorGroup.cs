using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// Starts this node's replica of the coordinator group: from what the node's log holds of it, or anew with these voters.
/// </summary>
/// <param name="machine">Its state machine.</param>
/// <param name="voters">
/// The first voters. A node that joins a group that is there already is not among them: it must decide nothing before it has the group's
/// log. Empty: a new replica is not to be made.
/// </param>
/// <param name="mustExist">The replica ran before: its log is there, or it is lost.</param>
/// <returns>Null when there is no log and none is to be made.</returns>
public delegate IReplicaGroup? StartCoordinatorGroup(IStateMachine machine, IReadOnlyList<NodeUid> voters, bool mustExist);

/// <summary>The coordinator group on a <see cref="RaftHost"/>.</summary>
public static class CoordinatorGroup
{
    /// <param name="host">The node's groups.</param>
    /// <param name="recovered">What the node's storage holds (<see cref="NodeStorage.Groups"/>).</param>
    public static StartCoordinatorGroup On(RaftHost host, IReadOnlyList<RecoveredGroup> recovered) => (machine, voters, mustExist) =>
    {
        foreach (var group in recovered)
            if (group.Group == GroupId.Coordinator) return host.Start(group, () => machine);

        // An empty replica under an old uid would have forgotten its votes and what it acknowledged.
        if (mustExist) throw new InvalidDataException("the coordinator's log is gone from the data directory of a node that voted in it; empty the whole directory");
        if (voters.Count == 0) return null;
        var config = new GroupConfig();
        config.Voters.Add(voters.Select(v => v.Value));
        return host.Start(GroupId.Coordinator, config, () => machine);
    };
}
