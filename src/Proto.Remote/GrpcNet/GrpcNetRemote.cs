using Microsoft.Extensions.Logging;
using Proto.Remote.Endpoints;
using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>Remoting of a member: listens, and connects to others when there is something to send.</summary>
public sealed partial class GrpcNetRemote : IRemote, IActorSystemLifecycle
{
    readonly GrpcNetRemoteConfig _config;
    readonly ILogger _logger;
    readonly SemaphoreSlim _lifecycle = new(1, 1);
    GrpcTransport? _ownTransport;
    EndpointManager? _endpoints;
    ITransportServer? _server;
    HealthService? _health;

    /// <exception cref="ArgumentException">The configuration has something that cannot be honoured; the message names it.</exception>
    public GrpcNetRemote(ActorSystem system, GrpcNetRemoteConfig config)
    {
        config.ThrowIfWrong(listens: true);
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
        await _lifecycle.WaitAsync();
        try
        {
            if (Started) return;
            var transport = System.Extensions.Get<ITransport>()
                ?? (_ownTransport = new GrpcTransport(_config, System.LoggerFactory, System.Config.TimeProvider));
            // Streams are accepted before the system knows its address only in the moment below: the handshake waits for it.
            var ready = new TaskCompletionSource<EndpointManager>(TaskCreationOptions.RunContinuationsAsynchronously);
            var diagnostics = new ProcessDiagnostics(System, _config.RemoteDiagnostics);
            _health = new HealthService();
            var methods = new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
            {
                [Handshake.ReceiveMethod] = async call =>
                    await (await ready.Task.OnThisContext().WaitAsync(call.Aborted)).AcceptAsync(call),
                ["/remote.Remoting/Connect"] = RefuseEarlierProtocol,
                ["/remote.Remoting/ListProcesses"] = diagnostics.ListAsync,
                ["/remote.Remoting/GetProcessDiagnostics"] = diagnostics.DescribeAsync,
                ["/grpc.health.v1.Health/Check"] = _health.CheckAsync,
                ["/grpc.health.v1.Health/Watch"] = _health.WatchAsync,
            };
            _server = await transport.ListenAsync(_config.Host, _config.Port, methods, _config.EndpointWriterOptions);
            Advertise(_server.Port);
            _endpoints = new EndpointManager(System, _config, transport, BlockList, isClient: false);
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

    /// <summary>The actors' last words are on their way: now the connections end.</summary>
    Task IActorSystemLifecycle.AfterActorsStoppedAsync(string reason) => ShutdownAsync();

    public async Task ShutdownAsync(bool graceful = true)
    {
        await _lifecycle.WaitAsync();
        try
        {
            if (!Started) return;
            Started = false;
            _health!.Leave();
            await _endpoints!.StopAsync(graceful);
            await _server!.DisposeAsync();
            _ownTransport?.Dispose();
            LogStopped(_logger, System.Address);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    void Advertise(int port)
    {
        var scheme = _config.UseHttps ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var chosen = _config.UriChooser([new Uri($"{scheme}://{HostName.InAddress(_config.Host)}:{port}")]);
        var host = _config.AdvertisedHost ?? _config.Host;
        if (HostName.IsWildcard(host)) LogWildcard(_logger, host);
        System.SetAddress(HostName.InAddress(host), _config.AdvertisedPort ?? chosen?.Port ?? port);
    }

    static Task RefuseEarlierProtocol(IServerCall call) => throw new GrpcException(
        GrpcStatusCode.Unimplemented, "Connect is the handshake of Proto.Remote 0.x; this system speaks the protocol of 1.x");

    [LoggerMessage(Level = LogLevel.Information, Message = "Remoting listens at {Address}")]
    static partial void LogStarted(ILogger logger, string address);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "This system's address names {Host}, which other machines cannot call: set AdvertisedHost")]
    static partial void LogWildcard(ILogger logger, string host);

    [LoggerMessage(Level = LogLevel.Information, Message = "Remoting at {Address} ended")]
    static partial void LogStopped(ILogger logger, string address);
}
