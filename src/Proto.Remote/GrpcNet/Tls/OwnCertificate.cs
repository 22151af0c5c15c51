using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Proto.Remote.GrpcNet;

/// <summary>The own certificate in the form that handshakes need, made anew only when the certificate has changed.</summary>
sealed class OwnCertificate(Func<X509Certificate2> certificate, X509Certificate2Collection intermediates)
{
    readonly Lock _gate = new();
    X509Certificate2? _known;
    SslStreamCertificateContext? _context;

    public SslStreamCertificateContext Context
    {
        get
        {
            var current = certificate();
            lock (_gate)
            {
                if (_context is not null && ReferenceEquals(current, _known)) return _context;
                _context = SslStreamCertificateContext.Create(current, intermediates, offline: true);
                _known = current;
                return _context;
            }
        }
    }
}
