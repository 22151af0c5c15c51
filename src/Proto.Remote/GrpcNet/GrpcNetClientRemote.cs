using Proto.Remote.Endpoints;

namespace Proto.Remote.GrpcNet;

/// <summary>Remoting of a client: it opens streams to members and is reached back over them, at <c>$client/{system id}</c>.</summary>
public sealed class GrpcNetClientRemote : IRemote
{
    readonly SemaphoreSlim _lifecycle = new(1, 1);
    EndpointManager? _endpoints;

    public GrpcNetClientRemote(ActorSystem system, GrpcNetRemoteConfig config)
    {
        System = system;
        Config = config;
        BlockList = new BlockList(system);
        system.Extensions.Register<IRemote>(this);
    }

    public RemoteConfigBase Config { get; }

    public ActorSystem System { get; }

    public bool Started { get; private set; }

    public BlockList BlockList { get; }

    public async Task StartAsync()
    {
        await _lifecycle.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Started) return;
            System.SetClientAddress();
            _endpoints = new EndpointManager(System, Config, BlockList, isClient: true);
            System.ProcessRegistry.RegisterHostResolver(_endpoints.Resolve);
            Started = true;
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
        }
        finally
        {
            _lifecycle.Release();
        }
    }
}
