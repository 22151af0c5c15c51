using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>What the shell has to do for <see cref="FailureDetector"/>.</summary>
public abstract record DetectorOutput;

/// <summary>Send to the actor `probe` at the address.</summary>
public sealed record SendProbe(string Address, Probe Probe) : DetectorOutput;

/// <summary>Send to the actor `probe` of the relay.</summary>
public sealed record SendIndirectProbe(string RelayAddress, IndirectProbe Probe) : DetectorOutput;

/// <summary>The subject answered, directly or through a relay.</summary>
public sealed record Answered(NodeUid Subject, ulong Incarnation) : DetectorOutput;

/// <summary>To be taken into the member table.</summary>
public sealed record Observed(NodeUid Subject, ulong Incarnation, Reachability Reachability, string Evidence) : DetectorOutput;

/// <summary>Settings of failure detection.</summary>
/// <param name="ProbeMs">One period: who is probed in it has to answer in it.</param>
/// <param name="Misses">Periods without an answer, in a row, until a member is Unreachable (row B13). Suspected one before.</param>
/// <param name="Relays">Through how many others a member is probed when it did not answer within half a period.</param>
/// <param name="ProbeAllUpTo">With at most so many other members each is probed in every period; with more, one at random.</param>
public sealed record DetectorOptions(int ProbeMs = 500, int Misses = 3, int Relays = 3, int ProbeAllUpTo = 8);
