using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Proto.Remote.GrpcNet;

namespace Proto.Remote.Transport;

/// <summary>gRPC over HTTP/2: Kestrel listens, a SocketsHttpHandler calls.</summary>
public sealed class GrpcTransport(GrpcNetRemoteConfig config, ILoggerFactory loggerFactory) : ITransport
{
    public async Task<ITransportServer> ListenAsync(
        string host, int port, IReadOnlyDictionary<string, GrpcHandler> methods, EndpointWriterOptions options)
    {
        var address = await ListenAddressAsync(host).ConfigureAwait(false);
        return await GrpcServer.StartAsync(
            new GrpcServerOptions
            {
                Endpoint = new IPEndPoint(address, port),
                MaxMessageBytes = options.MaxFrameBytes,
                KeepAlivePingDelay = options.KeepAlivePingDelay,
                KeepAlivePingTimeout = options.KeepAlivePingTimeout,
                ConfigureListen = config.ConfigureKestrel,
            },
            methods,
            loggerFactory,
            CancellationToken.None).ConfigureAwait(false);
    }

    public ITransportChannel CreateChannel(string address, EndpointWriterOptions options) =>
        new GrpcChannel(
            new Uri($"http://{address}"),
            new GrpcChannelSettings
            {
                ConnectTimeout = options.ConnectTimeout,
                MaxMessageBytes = options.MaxFrameBytes,
                KeepAlivePingDelay = options.KeepAlivePingDelay,
                KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            });

    static async Task<IPAddress> ListenAddressAsync(string host)
    {
        if (IPAddress.TryParse(host, out var address)) return address;
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.Loopback;
        var addresses = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        return Array.Find(addresses, found => found.AddressFamily == AddressFamily.InterNetwork)
            ?? (addresses.Length > 0 ? addresses[0] : throw new ArgumentException($"the host '{host}' has no address to listen on"));
    }
}
