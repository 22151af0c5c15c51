using ActorCluster.Protocol;

namespace ActorCluster.Node.Http;

/// <summary>How a typed failure reads in HTTP.</summary>
public static class HttpErrors
{
    /// <summary>
    /// 4xx: the request must change. 503: it had no effect, later or elsewhere it may succeed. 504: the deadline
    /// passed, or the outcome is unknown. 500: a fault of the node.
    /// </summary>
    public static int StatusOf(Failure failure) => failure.Code switch
    {
        ErrorCode.NotFound => StatusCodes.Status404NotFound,
        ErrorCode.InvalidArgument or ErrorCode.KeyTooLong or ErrorCode.MalformedJson or ErrorCode.UnknownKind => StatusCodes.Status400BadRequest,
        ErrorCode.ValueTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.Conflict or ErrorCode.SessionExpired => StatusCodes.Status409Conflict,
        ErrorCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        ErrorCode.Internal or ErrorCode.GrainFailed or ErrorCode.ActivationFailed => StatusCodes.Status500InternalServerError,
        _ => failure.Outcome == OutcomeKind.Unknown ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status503ServiceUnavailable,
    };

    /// <summary>True when the request certainly had no effect, so that sending it again cannot double one.</summary>
    public static bool RetrySafe(OutcomeKind outcome) => outcome != OutcomeKind.Unknown;
}
