using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Proto.Remote.GrpcNet;

/// <summary>Remoting over gRPC's wire: Kestrel listens (HTTP/2), a <see cref="SocketsHttpHandler"/> calls.</summary>
public record GrpcNetRemoteConfig : RemoteConfigBase
{
    protected GrpcNetRemoteConfig(string host, int port) : base(host, port) { }

    /// <summary>
    /// Calls others over TLS. The listener then needs a certificate: from <see cref="Tls"/>, which is the easy way, or from
    /// <see cref="ConfigureKestrel"/> (<c>listen =&gt; listen.UseHttps(certificate)</c>).
    /// </summary>
    public bool UseHttps { get; init; }

    /// <summary>TLS of the listener and of calls, in one place; set it with <see cref="TlsExtensions.WithTls{T}(T, TlsOptions)"/>.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Settings of the connections that are opened here. What it offers is honoured, or refused when the remote is made.</summary>
    public GrpcChannelOptions ChannelOptions { get; init; } = new();

    /// <summary>Further settings of the listener; HTTP/2 is set already, and TLS too when <see cref="Tls"/> is given.</summary>
    public Action<ListenOptions>? ConfigureKestrel { get; init; }

    /// <summary>
    /// Chooses, among the addresses that are listened on, the one whose port the actor system's address gets (unless there is an
    /// <see cref="RemoteConfigBase.AdvertisedPort"/>).
    /// </summary>
    public Func<IEnumerable<Uri>?, Uri?> UriChooser { get; init; } = static uris => uris?.FirstOrDefault();

    public static GrpcNetRemoteConfig BindToAllInterfaces(string? advertisedHost = null, int port = AnyFreePort) =>
        new(AllInterfaces, port) { AdvertisedHost = advertisedHost };

    public static GrpcNetRemoteConfig BindToLocalhost(int port = AnyFreePort) => new(Localhost, port);

    /// <param name="host">An address of this machine (IPv6 with or without brackets) or a name of it.</param>
    /// <param name="port">0: a free one.</param>
    public static GrpcNetRemoteConfig BindTo(string host, int port = AnyFreePort) => new(host, port);

    internal override int MaxSentFrameBytes => Math.Min(ChannelOptions.MaxSendMessageSize ?? int.MaxValue, base.MaxSentFrameBytes);

    internal override int MaxReceivedFrameBytes => ChannelOptions.MaxReceiveMessageSize ?? base.MaxReceivedFrameBytes;
}
