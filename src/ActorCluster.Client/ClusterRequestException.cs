using ActorCluster.Protocol;

namespace ActorCluster.Client;

/// <summary>A request did not end with a result (guarantee G6). Its two kinds say what is known of its effect.</summary>
public abstract class ClusterRequestException(ErrorCode code, string message, Exception? inner) : Exception(message, inner)
{
    public ErrorCode Code { get; } = code;

    internal static ClusterRequestException From(Failure failure, bool mayHaveHappened) =>
        mayHaveHappened || failure.Outcome == OutcomeKind.Unknown
            ? new OutcomeUnknownException(failure.Code, failure.Message)
            : new NotExecutedException(failure.Code, failure.Message);
}

/// <summary>The request had no effect and never will have one: sending it again is safe.</summary>
public sealed class NotExecutedException(ErrorCode code, string message, Exception? inner = null) : ClusterRequestException(code, message, inner);

/// <summary>The request may have had its effect, or may still have it, once.</summary>
public sealed class OutcomeUnknownException(ErrorCode code, string message, Exception? inner = null) : ClusterRequestException(code, message, inner);
