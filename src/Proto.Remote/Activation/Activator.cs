using Microsoft.Extensions.Logging;

namespace Proto.Remote;

/// <summary>Spawns actors for other systems (<c>$activator</c>).</summary>
sealed partial class Activator(RemoteConfigBase config, ILogger logger) : IActor
{
    public const string Name = "$activator";

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case ActorPidRequest request: context.Respond(Spawn(request, context.System)); break;
        }

        return Task.CompletedTask;
    }

    ActorPidResponse Spawn(ActorPidRequest request, ActorSystem system)
    {
        if (!config.RemoteKinds.TryGetValue(request.Kind, out var props))
        {
            LogUnknownKind(logger, request.Kind);
            return Failed(ResponseStatusCode.Error);
        }

        if (request.Name.StartsWith('$'))
        {
            LogSystemName(logger, request.Name);
            return Failed(ResponseStatusCode.Error);
        }

        try
        {
            var name = request.Name.Length > 0 ? request.Name : system.ProcessRegistry.NextId();
            var spawned = system.Root.SpawnNamed(props, name);
            new RemoteMetrics(system).Spawned(request.Kind);
            return new ActorPidResponse { Pid = spawned, StatusCode = (int)ResponseStatusCode.OK };
        }
        catch (ProcessNameExistException exists)
        {
            return new ActorPidResponse { Pid = exists.Pid, StatusCode = (int)ResponseStatusCode.ProcessNameAlreadyExist };
        }
        catch (Exception failure)
        {
            LogSpawnFailed(logger, failure, request.Kind, request.Name);
            return Failed(ResponseStatusCode.Error);
        }
    }

    static ActorPidResponse Failed(ResponseStatusCode status) => new() { StatusCode = (int)status };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Spawn from another system refused: the kind '{Kind}' is not among RemoteKinds")]
    static partial void LogUnknownKind(ILogger logger, string kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Spawn from another system refused: the name '{Name}' is the engine's own, as all that begin with $")]
    static partial void LogSystemName(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "Spawning kind '{Kind}' named '{Name}' for another system failed")]
    static partial void LogSpawnFailed(ILogger logger, Exception failure, string kind, string name);
}
