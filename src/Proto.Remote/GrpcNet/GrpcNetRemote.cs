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
    ITransportServer? _server;

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
        await _lifecycle.WaitAsync();
        try
        {
            if (Started) return;
            var transport = System.Extensions.Get<ITransport>() ?? new GrpcTransport(_config, System.LoggerFactory);
            // Streams are accepted before the system knows its address only in the moment below: the handshake waits for it.
            var ready = new TaskCompletionSource<EndpointManager>(TaskCreationOptions.RunContinuationsAsynchronously);
            var methods = new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
            {
                [Handshake.ReceiveMethod] = async call =>
                    await (await ready.Task.OnThisContext().WaitAsync(call.Aborted)).AcceptAsync(call),
                ["/remote.Remoting/ListProcesses"] = Diagnostics,
                ["/remote.Remoting/GetProcessDiagnostics"] = Diagnostics,
                ["/grpc.health.v1.Health/Check"] = HealthCheck.ServeAsync,
            };
            _server = await transport.ListenAsync(_config.Host, _config.Port, methods, _config.EndpointWriterOptions);
            System.SetAddress(_config.AdvertisedHost ?? _config.Host, _config.AdvertisedPort ?? _server.Port);
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

    public async Task ShutdownAsync(bool graceful = true)
    {
        await _lifecycle.WaitAsync();
        try
        {
            if (!Started) return;
            Started = false;
            await _endpoints!.StopAsync(graceful);
            await _server!.DisposeAsync();
            LogStopped(_logger, System.Address);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    Task Diagnostics(IServerCall call) => throw new GrpcException(
        GrpcStatusCode.Unimplemented, _config.RemoteDiagnostics ? "remote diagnostics are not implemented" : "RemoteDiagnostics is off");

    [LoggerMessage(Level = LogLevel.Information, Message = "Remoting listens at {Address}")]
    static partial void LogStarted(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Remoting at {Address} ended")]
    static partial void LogStopped(ILogger logger, string address);
}
