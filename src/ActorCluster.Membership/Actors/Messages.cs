using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership.Actors;

/// <summary>Time passes.</summary>
sealed record Tick
{
    public static readonly Tick Instance = new();
}

/// <summary>The node's own coordinator replica applied a decision.</summary>
sealed record ViewApplied(CommittedView View);

/// <summary>The table changed: whom to probe.</summary>
sealed record WatchMembers(MembershipSnapshot Snapshot, ulong OwnIncarnation);

/// <summary>The process is about to stop: say so, and answer when it was heard.</summary>
sealed record AnnounceStop;

/// <summary>The answer to <see cref="AnnounceStop"/>.</summary>
sealed record StopAnnounced;
