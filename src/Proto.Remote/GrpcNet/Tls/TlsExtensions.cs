using System.Security.Cryptography.X509Certificates;

namespace Proto.Remote.GrpcNet;

public static class TlsExtensions
{
    /// <summary>TLS with these settings, for the listener and for connections to others; sets <see cref="GrpcNetRemoteConfig.UseHttps"/>.</summary>
    public static TRemoteConfig WithTls<TRemoteConfig>(this TRemoteConfig config, TlsOptions options)
        where TRemoteConfig : GrpcNetRemoteConfig => config with { UseHttps = true, Tls = options };

    /// <summary>TLS: callers check the certificate of whom they call, and have none themselves.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="certificate">Own certificate with private key; null for a client.</param>
    /// <param name="trustedAuthorities">Who signs the certificates of peers; none: the authorities that the machine trusts.</param>
    public static TRemoteConfig WithTls<TRemoteConfig>(
        this TRemoteConfig config, X509Certificate2? certificate, params X509Certificate2[] trustedAuthorities)
        where TRemoteConfig : GrpcNetRemoteConfig => config.WithTls(new TlsOptions
        {
            Certificate = certificate is null ? null : () => certificate,
            TrustedAuthorities = trustedAuthorities.Length == 0 ? null : () => [.. trustedAuthorities],
        });

    /// <summary>Mutual TLS: both sides have a certificate and check the other's.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="certificate">Own certificate with private key.</param>
    /// <param name="trustedAuthorities">Who signs the certificates of peers; at least one.</param>
    public static TRemoteConfig WithMutualTls<TRemoteConfig>(
        this TRemoteConfig config, X509Certificate2 certificate, params X509Certificate2[] trustedAuthorities)
        where TRemoteConfig : GrpcNetRemoteConfig
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (trustedAuthorities.Length == 0)
            throw new ArgumentException("mutual TLS needs the authority that signs the peers' certificates", nameof(trustedAuthorities));
        return config.WithTls(new TlsOptions
        {
            Certificate = () => certificate,
            TrustedAuthorities = () => [.. trustedAuthorities],
            RequireClientCertificate = true,
        });
    }
}
