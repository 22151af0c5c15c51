using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Proto.Remote.GrpcNet;

/// <summary>The listening side's handshakes.</summary>
sealed partial class TlsListener(TlsOptions options, TimeProvider time, ILogger logger)
{
    readonly PeerCheck _check = new(options, time);
    readonly OwnCertificate _certificate = new(options.Certificate!, options.Intermediates);
    // Anybody who reaches the port can cause this line.
    readonly LogThrottle _refusals = new(time, limit: 10, TimeSpan.FromSeconds(10));

    public TlsHandshakeCallbackOptions Handshakes() => new()
    {
        HandshakeTimeout = options.HandshakeTimeout,
        OnConnection = context => ValueTask.FromResult(AnswerTo(context.Connection.RemoteEndPoint)),
    };

    SslServerAuthenticationOptions AnswerTo(EndPoint? caller) => new()
    {
        ServerCertificateContext = _certificate.Context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateRequired = options.RequireClientCertificate,
        CertificateChainPolicy = _check.Policy(),
        // A resumed session would keep what an earlier handshake decided.
        AllowTlsResume = false,
        AllowRenegotiation = false,
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (!options.RequireClientCertificate) return true;
            if (_check.Refusal(certificate, chain, errors) is not { } reason) return true;
            if (_refusals.TryEnter(out var suppressed)) LogRefused(logger, caller, reason, suppressed);
            return false;
        },
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "TLS: the caller at {Caller} is refused here: {Reason} ({Suppressed} refusals before were not logged)")]
    static partial void LogRefused(ILogger logger, EndPoint? caller, string reason, int suppressed);
}
