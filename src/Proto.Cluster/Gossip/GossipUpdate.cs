using Google.Protobuf.WellKnownTypes;

namespace Proto.Cluster.Gossip;

/// <summary>Another member's entry arrived or changed. Published on the event stream.</summary>
public record GossipUpdate(string MemberId, string Key, Any Value, long SequenceNumber);
