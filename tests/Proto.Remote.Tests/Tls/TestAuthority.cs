using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Proto.Remote.Tests.Tls;

/// <summary>A certificate authority in memory, and the certificates that it signs.</summary>
sealed class TestAuthority
{
    const string ServerUse = "1.3.6.1.5.5.7.3.1";
    const string ClientUse = "1.3.6.1.5.5.7.3.2";

    static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    /// <param name="name">Its name.</param>
    /// <param name="above">Who signs its certificate; null: it does.</param>
    public TestAuthority(string name, TestAuthority? above = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (above is null)
        {
            Certificate = request.CreateSelfSigned(Now.AddDays(-10), Now.AddDays(10));
            return;
        }

        using var signed = request.Create(above.Certificate, Now.AddDays(-9), Now.AddDays(9), RandomNumberGenerator.GetBytes(8));
        Certificate = signed.CopyWithPrivateKey(key);
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>For 127.0.0.1, ::1 and the name; for both uses, unless <paramref name="use"/> limits it.</summary>
    public X509Certificate2 Sign(string name, DateTimeOffset? notAfter = null, bool forLoopback = true, string? use = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (forLoopback)
        {
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        var uses = new OidCollection();
        foreach (var oid in use is null ? [ServerUse, ClientUse] : new[] { use }) uses.Add(new Oid(oid));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(uses, critical: false));
        using var signed = request.Create(Certificate, Now.AddDays(-5), notAfter ?? Now.AddDays(5), RandomNumberGenerator.GetBytes(8));
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    public X509Certificate2 SignExpired(string name) => Sign(name, Now.AddHours(-1));

    public X509Certificate2 SignForServersOnly(string name) => Sign(name, use: ServerUse);
}
