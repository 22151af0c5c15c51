namespace Proto.Cluster;

/// <summary>The name under which an activation recognises a repeated request.</summary>
public static class RequestId
{
    /// <summary>
    /// The message header that carries it. The cluster context sets it for activations that deduplicate; a caller that repeats requests
    /// itself sets its own, the same for every repetition and unique among all requests.
    /// </summary>
    public const string Header = "cluster-request-id";

    /// <summary>The message with the caller's id, or with a new one.</summary>
    internal static object Ensure(object message, ISenderContext context, Func<string> newId)
    {
        // An actor's headers are those of the message that it handles, and never travel on.
        if (context is IRootContext root && root.Headers.ContainsKey(Header)) return message;
        var envelope = MessageEnvelope.Wrap(message);
        return envelope.Header.ContainsKey(Header) ? envelope : envelope.WithHeader(Header, newId());
    }
}
