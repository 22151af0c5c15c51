using System.Net.Security;
using System.Security.Authentication;

namespace Proto.Remote.GrpcNet;

/// <summary>The calling side's handshakes, of all connections that one remote opens.</summary>
sealed class TlsCaller(TlsOptions options, TimeProvider time)
{
    readonly PeerCheck _check = new(options, time);
    readonly OwnCertificate? _certificate = options.Certificate is { } own ? new OwnCertificate(own, options.Intermediates) : null;

    /// <summary>The name that the peer's certificate must have; null: the host that is called.</summary>
    public string? PeerName => options.PeerName;

    /// <param name="refused">Told why, when the peer's certificate is refused; the handshake fails then.</param>
    public SslClientAuthenticationOptions CallTo(Action<string> refused) => new()
    {
        ClientCertificateContext = _certificate?.Context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = _check.Policy(),
        AllowTlsResume = false,
        AllowRenegotiation = false,
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (_check.Refusal(certificate, chain, errors) is not { } reason) return true;
            refused(reason);
            return false;
        },
    };
}
