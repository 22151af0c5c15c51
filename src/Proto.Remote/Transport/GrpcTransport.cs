using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Proto.Remote.GrpcNet;

namespace Proto.Remote.Transport;

/// <summary>gRPC over HTTP/2: Kestrel listens, a SocketsHttpHandler calls.</summary>
public sealed class GrpcTransport : ITransport, IDisposable
{
    readonly GrpcNetRemoteConfig _config;
    readonly ILoggerFactory _loggerFactory;
    readonly TimeProvider _time;
    readonly TlsCaller? _tls;

    public GrpcTransport(GrpcNetRemoteConfig config, ILoggerFactory loggerFactory, TimeProvider time)
    {
        _config = config;
        _loggerFactory = loggerFactory;
        _time = time;
        if (config.UseHttps && config.ChannelOptions.HttpHandler is null) _tls = new TlsCaller(config.Tls ?? new TlsOptions(), time);
    }

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
                ConfigureListen = ConfigureListen(),
            },
            methods,
            _loggerFactory,
            CancellationToken.None).ConfigureAwait(false);
    }

    public ITransportChannel CreateChannel(string address, EndpointWriterOptions options) =>
        new GrpcChannel(
            new Uri($"{(_config.UseHttps ? "https" : "http")}://{address}"),
            new GrpcChannelSettings
            {
                ConnectTimeout = options.ConnectTimeout,
                MaxMessageBytes = _config.MaxReceivedFrameBytes,
                KeepAlivePingDelay = options.KeepAlivePingDelay,
                KeepAlivePingTimeout = options.KeepAlivePingTimeout,
                Headers = _config.CallOptions.Headers,
                Handler = _config.ChannelOptions.HttpHandler,
            },
            _tls);

    /// <summary>Calls end with their channels; only a handler that was given away is left.</summary>
    public void Dispose()
    {
        if (_config.ChannelOptions.DisposeHttpClient) _config.ChannelOptions.HttpHandler?.Dispose();
    }

    Action<ListenOptions>? ConfigureListen()
    {
        if (_config.Tls is not { } tls) return _config.ConfigureKestrel;
        var handshakes = new TlsListener(tls, _time, _loggerFactory.CreateLogger<TlsListener>()).Handshakes();
        return listen =>
        {
            _config.ConfigureKestrel?.Invoke(listen);
            listen.UseHttps(handshakes);
        };
    }

    static async Task<IPAddress> ListenAddressAsync(string host)
    {
        if (IPAddress.TryParse(host, out var address)) return address;
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.Loopback;
        var addresses = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        return Array.Find(addresses, found => found.AddressFamily == AddressFamily.InterNetwork)
            ?? (addresses.Length > 0 ? addresses[0] : throw new ArgumentException($"the host '{host}' has no address to listen on"));
    }
}
