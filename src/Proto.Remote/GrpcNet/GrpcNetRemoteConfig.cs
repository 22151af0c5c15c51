using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Proto.Remote.GrpcNet;

/// <summary>Remoting over gRPC's wire on Kestrel (HTTP/2 with prior knowledge).</summary>
public record GrpcNetRemoteConfig : RemoteConfigBase
{
    protected GrpcNetRemoteConfig(string host, int port) : base(host, port) { }

    /// <summary>Further settings of the listener; HTTP/2 is set already.</summary>
    public Action<ListenOptions>? ConfigureKestrel { get; init; }

    public static GrpcNetRemoteConfig BindToAllInterfaces(string? advertisedHost = null, int port = AnyFreePort) =>
        new(AllInterfaces, port) { AdvertisedHost = advertisedHost };

    public static GrpcNetRemoteConfig BindToLocalhost(int port = AnyFreePort) => new(Localhost, port);

    public static GrpcNetRemoteConfig BindTo(string host, int port = AnyFreePort) => new(host, port);
}
