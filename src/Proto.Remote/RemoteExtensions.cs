using Proto.Remote.GrpcNet;

namespace Proto.Remote;

public static class RemoteExtensions
{
    /// <summary>Gives the system a remote that listens; <see cref="IRemote.StartAsync"/> (or the cluster) starts it.</summary>
    public static ActorSystem WithRemote(this ActorSystem system, GrpcNetRemoteConfig remoteConfig)
    {
        _ = new GrpcNetRemote(system, remoteConfig);
        return system;
    }

    /// <summary>Gives the system a remote that only calls: no port, reached back over the streams it opened.</summary>
    public static ActorSystem WithClientRemote(this ActorSystem system, GrpcNetRemoteConfig remoteConfig)
    {
        _ = new GrpcNetClientRemote(system, remoteConfig);
        return system;
    }

    public static IRemote Remote(this ActorSystem system) => system.Extensions.GetRequired<IRemote>();

    public static IRemote Remote(this IContext context) => context.System.Remote();

    public static Serialization Serialization(this ActorSystem system) => system.Remote().Config.Serialization;

    /// <summary>Spawns an actor of a kind that the other system offers, under a name chosen there.</summary>
    public static Task<ActorPidResponse> SpawnAsync(this IRemote remote, string address, string kind, TimeSpan timeout) =>
        remote.SpawnNamedAsync(address, "", kind, timeout);

    /// <summary>Spawns an actor of a kind that the other system offers.</summary>
    /// <exception cref="TimeoutException">No answer in time: it may have been spawned.</exception>
    /// <exception cref="DeadLetterException">The system could not be reached: nothing was spawned.</exception>
    public static async Task<ActorPidResponse> SpawnNamedAsync(this IRemote remote, string address, string name, string kind, TimeSpan timeout)
    {
        using var deadline = new CancellationTokenSource(timeout, remote.System.Config.TimeProvider);
        var activator = PID.FromAddress(address, Activator.Name);
        return await remote.System.Root
            .RequestAsync<ActorPidResponse>(activator, new ActorPidRequest { Kind = kind, Name = name }, deadline.Token)
            ;
    }
}
