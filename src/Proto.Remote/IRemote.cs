namespace Proto.Remote;

/// <summary>Carries messages between this actor system and others.</summary>
public interface IRemote : IActorSystemExtension<IRemote>
{
    RemoteConfigBase Config { get; }
    ActorSystem System { get; }
    bool Started { get; }
    BlockList BlockList { get; }

    /// <summary>Listens (a client only takes its address) and lets PIDs of other addresses resolve.</summary>
    Task StartAsync();

    /// <summary>
    /// Ends the connections. Gracefully: what is queued is sent first (for a bounded time) and peers are told, so that they do not look for a fault.
    /// </summary>
    Task ShutdownAsync(bool graceful = true);
}
