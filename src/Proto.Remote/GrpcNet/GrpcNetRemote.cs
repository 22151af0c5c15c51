using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Proto.Remote.Endpoints;
using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>Remoting of a member: listens, and connects to others when there is something to send.</summary>
public sealed partial class GrpcNetRemote : IRemote
{
    readonly GrpcNetRemoteConfig _config;
    readonly ILogger _logger;
    readonly SemaphoreSlim _lifecycle = new(1, 1);
    EndpointManager? _endpoints;
    GrpcServer? _server;

    public GrpcNetRemote(ActorSystem system, GrpcNetRemoteConfig config)
    {
        System = system;
        _config = config;
        _logger = system.LoggerFactory.CreateLogger<GrpcNetRemote>();
        BlockList = new BlockList(system);
        system.Extensions.Register<IRemote>(this);
    }

    public RemoteConfigBase Config => _config;

    public ActorSystem System { get; }

    public bool Started { get; private set; }

    public BlockList BlockList { get; }

    public async Task StartAsync()
    {
        await _lifecycle.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Started) return;
            var host = await ListenAddressAsync(_config.Host).ConfigureAwait(false);
            // Streams are accepted before the system knows its address only in the moment below: the handshake waits for it.
            var ready = new TaskCompletionSource<EndpointManager>(TaskCreationOptions.RunContinuationsAsynchronously);
            var methods = new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
            {
                [Handshake.ReceiveMethod] = async call =>
                    await (await ready.Task.WaitAsync(call.Aborted).ConfigureAwait(false)).AcceptAsync(call).ConfigureAwait(false),
                ["/remote.Remoting/ListProcesses"] = Diagnostics,
                ["/remote.Remoting/GetProcessDiagnostics"] = Diagnostics,
                ["/grpc.health.v1.Health/Check"] = HealthCheck.ServeAsync,
            };
            _server = await GrpcServer.StartAsync(
                new GrpcServerOptions
                {
                    Endpoint = new IPEndPoint(host, _config.Port),
                    MaxMessageBytes = _config.EndpointWriterOptions.MaxFrameBytes,
                    KeepAlivePingDelay = _config.EndpointWriterOptions.KeepAlivePingDelay,
                    KeepAlivePingTimeout = _config.EndpointWriterOptions.KeepAlivePingTimeout,
                    ConfigureListen = _config.ConfigureKestrel,
                },
                methods,
                System.LoggerFactory,
                CancellationToken.None).ConfigureAwait(false);
            System.SetAddress(_config.AdvertisedHost ?? _config.Host, _config.AdvertisedPort ?? _server.Endpoint.Port);
            _endpoints = new EndpointManager(System, _config, BlockList, isClient: false);
            System.ProcessRegistry.RegisterHostResolver(_endpoints.Resolve);
            System.ProcessRegistry.RegisterClientResolver(_endpoints.ResolveClient);
            System.Root.SpawnNamedSystem(
                Props.FromProducer(() => new Activator(_config, System.LoggerFactory.CreateLogger<Activator>())), Activator.Name);
            ready.SetResult(_endpoints);
            Started = true;
            LogStarted(_logger, System.Address);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    public async Task ShutdownAsync(bool graceful = true)
    {
        await _lifecycle.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!Started) return;
            Started = false;
            await _endpoints!.StopAsync(graceful).ConfigureAwait(false);
            await _server!.DisposeAsync().ConfigureAwait(false);
            LogStopped(_logger, System.Address);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    Task Diagnostics(GrpcServerCall call) => throw new GrpcException(
        GrpcStatusCode.Unimplemented, _config.RemoteDiagnostics ? "remote diagnostics are not implemented" : "RemoteDiagnostics is off");

    static async Task<IPAddress> ListenAddressAsync(string host)
    {
        if (IPAddress.TryParse(host, out var address)) return address;
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.Loopback;
        var addresses = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        return Array.Find(addresses, found => found.AddressFamily == AddressFamily.InterNetwork)
            ?? (addresses.Length > 0 ? addresses[0] : throw new ArgumentException($"the host '{host}' has no address to listen on"));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Remoting listens at {Address}")]
    static partial void LogStarted(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Remoting at {Address} ended")]
    static partial void LogStopped(ILogger logger, string address);
}
