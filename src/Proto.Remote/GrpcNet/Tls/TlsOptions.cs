using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Proto.Remote.GrpcNet;

/// <summary>
/// TLS (1.2 or later) between systems. Every peer's certificate is checked: validity, name and who signed it. Nothing switches that off.
/// </summary>
public sealed record TlsOptions
{
    /// <summary>
    /// The own certificate with its private key, asked for at each handshake: return a renewed one and new connections use it. Needed to listen,
    /// and by callers of systems that have <see cref="RequireClientCertificate"/>.
    /// </summary>
    public Func<X509Certificate2>? Certificate { get; init; }

    /// <summary>Certificates between the own one and the authority, sent along with it.</summary>
    public X509Certificate2Collection Intermediates { get; init; } = [];

    /// <summary>
    /// The authorities that sign peers' certificates, asked for at each handshake; those of the machine do not count then. Null: the authorities
    /// that the machine trusts, unless <see cref="TrustedThumbprints"/> are given.
    /// </summary>
    public Func<X509Certificate2Collection>? TrustedAuthorities { get; init; }

    /// <summary>
    /// SHA-256 thumbprints (hexadecimal) of single certificates that are trusted without authority and name, as long as they are valid in time.
    /// </summary>
    public IReadOnlyCollection<string> TrustedThumbprints { get; init; } = [];

    /// <summary>Mutual TLS: whoever connects here must have a certificate that is trusted here.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>
    /// The name that the certificates of systems called from here must have. Null: the host in the address that is called.
    /// </summary>
    public string? PeerName { get; init; }

    /// <summary>A further condition on a peer's certificate, on top of all others: false refuses the peer.</summary>
    public Func<X509Certificate2, bool>? AcceptPeer { get; init; }

    /// <summary>Whether authorities are asked for revoked certificates. The default is not to: few private authorities publish that.</summary>
    public X509RevocationMode RevocationMode { get; init; } = X509RevocationMode.NoCheck;

    /// <summary>Time for a handshake on the listening side.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The thumbprint of a certificate as <see cref="TrustedThumbprints"/> has it.</summary>
    public static string ThumbprintOf(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256);

    internal void ThrowIfWrong(bool listens)
    {
        if (listens && Certificate is null)
            throw new ArgumentException("Tls.Certificate is missing: a remote that listens needs a certificate with its private key");
        if (Certificate is not null && !Certificate().HasPrivateKey)
            throw new ArgumentException("Tls.Certificate has no private key");
        if (RequireClientCertificate && TrustedAuthorities is null && TrustedThumbprints.Count == 0)
        {
            throw new ArgumentException(
                "Tls.RequireClientCertificate needs TrustedAuthorities or TrustedThumbprints: with the machine's authorities, anybody who has bought a certificate could connect");
        }

        foreach (var thumbprint in TrustedThumbprints)
        {
            if (thumbprint.Length != 64 || !thumbprint.All(char.IsAsciiHexDigit))
                throw new ArgumentException($"Tls.TrustedThumbprints has '{thumbprint}', which is no SHA-256 thumbprint (64 hexadecimal digits)");
        }

        if (HandshakeTimeout <= TimeSpan.Zero)
            throw new ArgumentException($"Tls.HandshakeTimeout is {HandshakeTimeout}: it must be more than zero");
    }
}
