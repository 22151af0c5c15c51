namespace Grpc.Core;

/// <summary>How a connection is protected. Certificates are no part of it: they belong to the transport's TLS settings.</summary>
public abstract class ChannelCredentials
{
    private protected ChannelCredentials() { }

    /// <summary>Plain HTTP/2.</summary>
    public static ChannelCredentials Insecure { get; } = new InsecureCredentials();

    /// <summary>TLS.</summary>
    public static ChannelCredentials SecureSsl { get; } = new SecureSslCredentials();

    sealed class InsecureCredentials : ChannelCredentials;

    sealed class SecureSslCredentials : ChannelCredentials;
}
