using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Actors;

// What a group actor receives beside RaftMessage. All of it comes from this process.

/// <summary>A tick of the node's shared clock.</summary>
sealed record TickPassed
{
    public static readonly TickPassed Instance = new();
}

/// <summary>Everything that was in the mailbox when the first output arose has been stepped: act on it.</summary>
sealed record Flush
{
    public static readonly Flush Instance = new();
}

/// <summary>The group's submission queue is no longer empty.</summary>
sealed record WorkSubmitted
{
    public static readonly WorkSubmitted Instance = new();
}

/// <summary>The group is to have other members; answered at once with how far that is.</summary>
sealed record ChangeMembers(IReadOnlyCollection<NodeUid> Voters, IReadOnlyCollection<NodeUid> Learners, TaskCompletionSource<MembershipChange> Answer);

/// <summary>A write of the core is durable.</summary>
sealed record WriteDurable(StorageWrite Write);

/// <summary>The connection to an address broke, and an immediate reconnect was refused.</summary>
sealed record PeerLost(string Address);

/// <summary>A snapshot of the own state is in the store.</summary>
sealed record SnapshotSaved(SnapshotMeta Meta);

/// <summary>Its mark is durable in the node's log.</summary>
sealed record SnapshotMarked(SnapshotMeta Meta);

/// <summary>A snapshot that came from the leader is in the store; <paramref name="Last"/> is its last chunk without the data.</summary>
sealed record SnapshotReceived(RaftMessage Last);

/// <summary>There was no room for a snapshot, own or received: nothing depends on it yet.</summary>
sealed record SnapshotRefused(DiskFullException Reason);

/// <summary>Work beside the actor failed: the node must stop.</summary>
sealed record WorkFailed(Exception Error);

/// <summary>Give leadership to another replica; <paramref name="Done"/> completes when that is done or hopeless.</summary>
sealed record HandOver(TaskCompletionSource Done);

/// <summary>The host failed: end everything, acknowledge nothing.</summary>
sealed record HostFailed(string Reason);
