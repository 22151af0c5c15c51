using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Proto.Remote.GrpcNet;

/// <summary>Decides over a peer's certificate, and can say why not.</summary>
sealed class PeerCheck(TlsOptions options, TimeProvider time)
{
    /// <summary>What the chain is checked against. A new one for each handshake: authorities may have changed, and it is not thread-safe.</summary>
    public X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { RevocationMode = options.RevocationMode, VerificationTime = time.GetUtcNow().UtcDateTime };
        if (options.TrustedAuthorities is null) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(options.TrustedAuthorities());
        return policy;
    }

    /// <summary>Why the peer is refused; null when it is accepted. Names the certificate, holds no secret.</summary>
    public string? Refusal(X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        if (presented is null) return "it has no certificate";
        var certificate = presented as X509Certificate2 ?? throw new NotSupportedException("SslStream gives certificates as X509Certificate2");
        var reason = IsPinned(certificate) ? OutOfTime(certificate) : ChainRefusal(chain, errors);
        if (reason is null && options.AcceptPeer?.Invoke(certificate) == false) reason = "AcceptPeer refuses it";
        return reason is null ? null : $"its certificate '{certificate.Subject}' ({TlsOptions.ThumbprintOf(certificate)[..16]}…): {reason}";
    }

    bool IsPinned(X509Certificate2 certificate) =>
        options.TrustedThumbprints.Contains(TlsOptions.ThumbprintOf(certificate), StringComparer.OrdinalIgnoreCase);

    string? OutOfTime(X509Certificate2 certificate)
    {
        var now = time.GetUtcNow();
        if (now < certificate.NotBefore) return $"it is not valid before {certificate.NotBefore:u}";
        return now > certificate.NotAfter ? $"it has expired at {certificate.NotAfter:u}" : null;
    }

    string? ChainRefusal(X509Chain? chain, SslPolicyErrors errors)
    {
        if (options.TrustedAuthorities is null && options.TrustedThumbprints.Count > 0) return "its thumbprint is not among the trusted ones";
        if (errors == SslPolicyErrors.None) return null;
        var reasons = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) reasons.Add("it is for another name");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && chain is not null)
        {
            foreach (var status in chain.ChainStatus) reasons.Add(Explain(status));
        }

        return reasons.Count > 0 ? string.Join("; ", reasons) : errors.ToString();
    }

    static string Explain(X509ChainStatus status) => status.Status switch
    {
        X509ChainStatusFlags.NotTimeValid => "it, or a certificate above it, is not valid at this time (expired, or not valid yet)",
        X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot => "no trusted authority has signed it",
        X509ChainStatusFlags.NotValidForUsage => "it is not meant for this use (extended key usage)",
        X509ChainStatusFlags.Revoked => "it has been revoked",
        var other => $"{other}: {status.StatusInformation}",
    };
}
