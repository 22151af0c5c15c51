using System.Security.Authentication;

namespace Proto.Remote.Transport;

/// <summary>What a failed attempt to connect means, in words that say which side refused.</summary>
static class ConnectFailure
{
    /// <param name="failure">What the HTTP handler threw.</param>
    /// <param name="address">What was called.</param>
    /// <param name="refusedCertificate">Why the peer's certificate was refused here; null when it was not.</param>
    /// <returns>The same failure, explained; null when it says all by itself.</returns>
    public static HttpRequestException? Explain(HttpRequestException failure, Uri address, string? refusedCertificate)
    {
        var peer = address.Authority;
        var isTls = string.Equals(address.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);
        var meaning = (isTls, failure.InnerException) switch
        {
            (true, AuthenticationException) when refusedCertificate is not null => $"{peer} is refused by this system: {refusedCertificate}",
            (true, AuthenticationException handshake) =>
                $"no TLS with {peer} ({handshake.Message}): it refuses this system's certificate (its log says why), or it does not speak TLS",
            (true, IOException) or (true, _) when EndedEarly(failure) =>
                $"{peer} ended the TLS connection before HTTP/2 began: it refuses this system's certificate, or misses one; its log says why",
            (false, _) when EndedEarly(failure) => $"{peer} does not answer in plain HTTP/2: it may expect TLS (UseHttps)",
            _ => null,
        };
        return meaning is null ? null : new HttpRequestException(failure.HttpRequestError, meaning, failure);
    }

    static bool EndedEarly(HttpRequestException failure) =>
        failure.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError
        || failure.InnerException is HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded };
}
