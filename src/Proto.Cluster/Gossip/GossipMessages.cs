using Proto.Remote;

namespace Proto.Cluster.Gossip;

// Gossip carries heartbeats: a member whose other messages pile up is not dead.
public sealed partial class GossipRequest : IRemotePriorityMessage;

public sealed partial class GossipResponse : IRemotePriorityMessage;
