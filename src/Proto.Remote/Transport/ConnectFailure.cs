using System.Security.Authentication;

namespace Proto.Remote.Transport;

/// <summary>What a failed attempt to connect means, in words that say which side refused.</summary>
static class ConnectFailure
{
    /// <param name="failure">What the HTTP handler threw.</param>
    /// <param name="address">What was called.</param>
    /// <param name="refusedCertificate">Why the peer's certificate was refused here; null when it was not.</param>
    /// <param name="cancellationToken">The caller's: cancelled means that nothing failed.</param>
    /// <returns>The same failure, explained; null when it says all by itself.</returns>
    public static HttpRequestException? Explain(Exception failure, Uri address, string? refusedCertificate, CancellationToken cancellationToken)
    {
        var cause = failure switch
        {
            HttpRequestException => failure.InnerException,
            // A connection that ends while the request's body is being sent cancels that: a lost connection, not somebody's cancellation. Only a
            // connect timeout comes as a cancellation with its reason.
            OperationCanceledException { InnerException: not TimeoutException } when !cancellationToken.IsCancellationRequested =>
                new IOException("the connection was lost", failure),
            _ => null,
        };
        var peer = address.Authority;
        var isTls = string.Equals(address.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);
        var meaning = (isTls, cause) switch
        {
            (true, AuthenticationException) when refusedCertificate is not null => $"{peer} is refused by this system: {refusedCertificate}",
            (true, AuthenticationException handshake) =>
                $"no TLS with {peer} ({handshake.Message}): it refuses this system's certificate (its log says why), or it does not speak TLS",
            (true, IOException ended) =>
                $"{peer} ended the TLS connection before it answered ({ended.Message}): it refuses this system's certificate or misses one (its log says why), or it is gone",
            (false, IOException ended) => $"{peer} ended the connection before it answered ({ended.Message}): it may expect TLS (UseHttps), or it is gone",
            _ => null,
        };
        return meaning is null ? null : new HttpRequestException(meaning, failure);
    }
}
