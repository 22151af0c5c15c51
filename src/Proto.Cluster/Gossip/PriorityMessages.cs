using Proto.Remote;

namespace Proto.Cluster.Gossip;

// Bulk must not hold up what tells members of each other.
public partial class GossipRequest : IRemotePriorityMessage;

public partial class GossipResponse : IRemotePriorityMessage;
