using ActorCluster.Protocol;

namespace ActorCluster.Client.Sessions;

/// <summary>What a failed attempt means for the request. Pure.</summary>
static class RetryRules
{
    /// <summary>True when another attempt may end better.</summary>
    public static bool MayEndBetter(ErrorCode code) => code
        is ErrorCode.NoQuorum
        or ErrorCode.NotLeader
        or ErrorCode.WrongPartition
        or ErrorCode.StaleEpoch
        or ErrorCode.DeadlineExceeded
        or ErrorCode.Overloaded
        or ErrorCode.NodeStopping
        or ErrorCode.NotAMember
        or ErrorCode.Conflict;

    /// <summary>True when the place that answered is not, or no longer, the right one.</summary>
    public static bool PlaceIsWrong(ErrorCode code) => code
        is ErrorCode.NoQuorum
        or ErrorCode.NotLeader
        or ErrorCode.WrongPartition
        or ErrorCode.StaleEpoch
        or ErrorCode.NodeStopping
        or ErrorCode.NotAMember;

    /// <summary>How long to wait before the attempt after this one: the first repeat is nearly at once, then twice as long each time.</summary>
    public static TimeSpan Pause(int attempt) => TimeSpan.FromMilliseconds(Math.Min(500, 10 << Math.Min(attempt, 8)));
}
