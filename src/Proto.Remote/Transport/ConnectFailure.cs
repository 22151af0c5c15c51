using System.Security.Authentication;

namespace Proto.Remote.Transport;

/// <summary>What a failed attempt to connect means, in words that say which side refused.</summary>
static class ConnectFailure
{
    /// <param name="failure">What the HTTP handler threw.</param>
    /// <param name="address">What was called.</param>
    /// <param name="refusedCertificate">Why the peer's certificate was refused here; null when it was not.</param>
    /// <param name="cancellationToken">The caller's: cancelled means that nothing failed.</param>
    /// <returns>The same failure, explained; null when it says all by itself: nobody there, or cancelled.</returns>
    public static HttpRequestException? Explain(Exception failure, Uri address, string? refusedCertificate, CancellationToken cancellationToken)
    {
        var isCancelled = failure is OperationCanceledException
            && (cancellationToken.IsCancellationRequested || failure.InnerException is TimeoutException);
        var isUnreachable = failure is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
        if (isCancelled || isUnreachable || TransportFailure.IsRefused(failure)) return null;

        // What is left is a connection that was made and then lost. One that ends while the request's body is being sent even looks like a
        // cancellation.
        var peer = address.Authority;
        var reason = failure.InnerException?.Message ?? failure.Message;
        var isTls = string.Equals(address.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);
        var meaning = (isTls, failure.InnerException) switch
        {
            (true, AuthenticationException) when refusedCertificate is not null => $"{peer} is refused by this system: {refusedCertificate}",
            (true, AuthenticationException) =>
                $"no TLS with {peer} ({reason}): it refuses this system's certificate (its log says why), or it does not speak TLS",
            (true, _) =>
                $"{peer} ended the TLS connection before it answered ({reason}): it refuses this system's certificate or misses one (its log says why), or it is gone",
            (false, _) => $"{peer} ended the connection before it answered ({reason}): it may expect TLS (UseHttps), or it is gone",
        };
        return new HttpRequestException(meaning, failure);
    }
}
