namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>The scenarios by name: what the tests run in this process, and <c>Program</c> in another.</summary>
static class Scenario
{
    public static readonly IReadOnlyDictionary<string, Action<DeterministicWorld>> All = new SortedDictionary<string, Action<DeterministicWorld>>(StringComparer.Ordinal)
    {
        ["ping-pong"] = PingPong.Run,
        ["supervision"] = SupervisedFailures.Run,
        ["remote"] = RemoteTraffic.Run,
        ["restart"] = RestartedPeer.Run,
        ["watch"] = WatchedPeer.Run,
        ["cluster"] = ClusterUnderFaults.Run,
        ["placement"] = PlacementUnderChurn.Run,
        ["overtaking"] = OvertakingForwarder.Run,
    };
}
