using Google.Protobuf.WellKnownTypes;

namespace Proto.Cluster.Gossip;

/// <summary>Sets an entry of this member; answered with <see cref="GossipStateSet"/>.</summary>
sealed record SetGossipState(string Key, Any Value);

/// <param name="Refused">Why nothing was set; null: it was.</param>
sealed record GossipStateSet(GossipLimitException? Refused);

/// <summary>Answered with a <see cref="GossipState"/>.</summary>
sealed record GetGossipState;

/// <summary>Runs a check for the first time.</summary>
sealed record RunConsensusCheck(IRunningConsensusCheck Check);

/// <summary>Tells all members that this one leaves; answered with <see cref="LeavingAnnounced"/> when all have heard it or their time is over.</summary>
sealed record AnnounceLeaving;

sealed record LeavingAnnounced;

/// <summary>Answered with <see cref="EvictableMembers"/>.</summary>
sealed record GetEvictableMembers;

sealed record EvictableMembers(IReadOnlyList<string> MemberIds);

sealed record GossipRound
{
    public static readonly GossipRound Instance = new();
}

sealed record HeartbeatRound
{
    public static readonly HeartbeatRound Instance = new();
}
