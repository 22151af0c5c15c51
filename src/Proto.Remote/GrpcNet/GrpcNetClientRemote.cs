using Proto.Remote.Endpoints;
using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>Remoting of a client: it opens streams to members and is reached back over them, at <c>$client/{system id}</c>.</summary>
public sealed class GrpcNetClientRemote : IRemote, IActorSystemLifecycle
{
    readonly GrpcNetRemoteConfig _config;
    readonly SemaphoreSlim _lifecycle = new(1, 1);
    GrpcTransport? _ownTransport;
    EndpointManager? _endpoints;

    /// <exception cref="ArgumentException">The configuration has something that cannot be honoured; the message names it.</exception>
    public GrpcNetClientRemote(ActorSystem system, GrpcNetRemoteConfig config)
    {
        config.ThrowIfWrong(listens: false);
        System = system;
        _config = config;
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
            System.SetClientAddress();
            var transport = System.Extensions.Get<ITransport>()
                ?? (_ownTransport = new GrpcTransport(_config, System.LoggerFactory, System.Config.TimeProvider));
            _endpoints = new EndpointManager(System, Config, transport, BlockList, isClient: true);
            System.ProcessRegistry.RegisterHostResolver(_endpoints.Resolve);
            Started = true;
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
            await _endpoints!.StopAsync(graceful);
            _ownTransport?.Dispose();
        }
        finally
        {
            _lifecycle.Release();
        }
    }
}
