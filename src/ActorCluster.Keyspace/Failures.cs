using ActorCluster.Protocol;

namespace ActorCluster.Keyspace;

/// <summary>Makes typed failures (guarantee G6): what had no effect, and what may have had one.</summary>
public static class Failures
{
    /// <summary>It had no effect: a retry is safe.</summary>
    public static Failure NotExecuted(ErrorCode code, string message) =>
        new() { Outcome = OutcomeKind.NotExecuted, Code = code, Message = message };

    /// <summary>It may have had its effect.</summary>
    public static Failure Unknown(ErrorCode code, string message) =>
        new() { Outcome = OutcomeKind.Unknown, Code = code, Message = message };
}
