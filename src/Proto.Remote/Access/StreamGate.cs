using Microsoft.Extensions.Logging;
using Proto.Remote.Transport;

namespace Proto.Remote;

/// <summary>Who may open a stream here, and what a client's stream may bring: asks the configured filters, answers and logs refusals.</summary>
sealed partial class StreamGate(ActorSystem system, RemoteConfigBase config)
{
    /// <summary>Whoever reaches the port can cause these lines.</summary>
    const int LinesPerPeriod = 10;
    static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    readonly ILogger _logger = system.LoggerFactory.CreateLogger<StreamGate>();
    readonly LogThrottle _throttle = new(system.Config.TimeProvider, LinesPerPeriod, Period);

    /// <exception cref="GrpcException">The connection filter refuses the stream.</exception>
    public void Admit(IncomingConnection connection)
    {
        if (config.ConnectionFilter is not { } filter || Ask(filter, connection)) return;
        var what = connection.IsClient ? "client" : "member";
        if (_throttle.TryEnter(out var suppressed))
            LogConnection(_logger, what, connection.SystemId, connection.Caller, connection.Certificate?.Subject, suppressed);
        throw new GrpcException(GrpcStatusCode.PermissionDenied, $"the connection filter of {system.Address} refuses this {what}");
    }

    public bool Allows(IncomingConnection connection, string targetId, string typeName) =>
        Ask(config.ClientFilter, new ClientMessage(connection, targetId, typeName));

    /// <summary>A client's message is not delivered: its requester is told at once, and why.</summary>
    public void Refuse(IncomingConnection connection, string targetId, string typeName, PID? requester)
    {
        if (_throttle.TryEnter(out var suppressed)) LogMessage(_logger, typeName, targetId, connection.SystemId, suppressed);
        system.EventStream.Publish(new ClientMessageRefused(connection.SystemId, targetId, typeName));
        if (requester is null) return;
        var answer = new DeadLetterResponse { Target = PID.FromAddress(system.Address, targetId) };
        var reason = Proto.MessageHeader.Empty.With(DeadLetterException.ReasonHeader, $"clients of {system.Address} may not send {typeName} to {targetId}");
        requester.SendUserMessage(system, new Proto.MessageEnvelope(answer, null, reason));
    }

    /// <summary>A filter that fails has not said yes.</summary>
    bool Ask<T>(Func<T, bool> filter, T about)
    {
        try
        {
            return filter(about);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            if (_throttle.TryEnter(out var suppressed)) LogFilterFailed(_logger, failure, typeof(T).Name, suppressed);
            return false;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The {What} {SystemId} at {Caller} (certificate {Certificate}) is refused by the connection filter ({Suppressed} lines before were left out)")]
    static partial void LogConnection(ILogger logger, string what, string systemId, System.Net.EndPoint? caller, string? certificate, int suppressed);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{TypeName} to {Target} from the client {ClientId} is refused ({Suppressed} lines before were left out)")]
    static partial void LogMessage(ILogger logger, string typeName, string target, string clientId, int suppressed);

    [LoggerMessage(Level = LogLevel.Error, Message = "The filter of {What} failed: refused ({Suppressed} lines before were left out)")]
    static partial void LogFilterFailed(ILogger logger, Exception failure, string what, int suppressed);
}
