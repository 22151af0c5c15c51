using Microsoft.Extensions.Logging;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>The way to a client: back over the stream that it opened. It ends with the stream.</summary>
sealed partial class ClientEndpoint : IEndpoint
{
    static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(1);

    readonly ActorSystem _system;
    readonly RemoteConfigBase _config;
    readonly IServerCall _call;
    readonly ILogger _logger;
    readonly OutgoingQueue _queue;
    readonly PendingMessages _pending;
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly string _idPrefix;
    volatile bool _readEnded;
    volatile bool _leaving;

    public ClientEndpoint(ActorSystem system, RemoteConfigBase config, IServerCall call, string clientId)
    {
        _system = system;
        _config = config;
        _call = call;
        _logger = system.LoggerFactory.CreateLogger<ClientEndpoint>();
        ClientId = clientId;
        _idPrefix = AddressOf(clientId) + "/";
        Process = new RemoteProcess(system, this);
        _queue = new OutgoingQueue(config.EndpointWriterOptions.MaxQueuedMessages);
        _pending = new PendingMessages(_queue);
    }

    public string ClientId { get; }

    public RemoteProcess Process { get; }

    public static string AddressOf(string clientId) => Handshake.ClientPrefix + clientId;

    public void Send(in OutgoingMessage message)
    {
        if (_queue.TryEnqueue(message) != EnqueueResult.Queued) DeadLetters.NotSent(_system, message);
    }

    public void SendSystem(PID target, SystemMessage message) => Send(new OutgoingMessage(target, message, null, null));

    /// <summary>Serves the stream to its end.</summary>
    public async Task RunAsync(IncomingMessages incoming)
    {
        LogConnected(_logger, ClientId);
        var writing = WriteAllAsync();
        try
        {
            while (true)
            {
                while (_call.Requests.TryRead(out var frame))
                {
                    if (Handshake.TryGetBatch(frame.Span, out var batch)) incoming.Receive(batch);
                    else Handshake.Parse(frame.Span);
                }

                if (!await _call.Requests.FillAsync(_call.Aborted)) break;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            LogLost(_logger, ClientId, gone.Message);
        }
        finally
        {
            _readEnded = true;
            _queue.Signal();
            await writing;
        }
    }

    /// <summary>The stream is gone: what was not sent becomes dead letters.</summary>
    public void Ended()
    {
        Process.Retire();
        _queue.Close();
        while (_pending.Refill()) DeadLetters.NotSent(_system, _pending.TakeOne());
        _ended.TrySetResult();
    }

    public async Task StopAsync(bool graceful)
    {
        if (graceful)
        {
            _leaving = true;
            _queue.Signal();
            try
            {
                await _ended.Task.OnThisContext().WaitAsync(LeaveTimeout, _system.Config.TimeProvider);
                return;
            }
            catch (TimeoutException)
            {
                // The client did not close its side in time.
            }
        }

        _call.Abort();
        await _ended.Task;
    }

    async Task WriteAllAsync()
    {
        var options = _config.EndpointWriterOptions;
        using var encoder = new BatchEncoder(
            _system, _config.Serialization, _system.Address, options.EndpointWriterBatchSize, options.MaxMessageBytes, _config.MaxSentFrameBytes, _idPrefix);
        using var output = new WireWriter(64 * 1024);
        Action<OutgoingMessage, Exception> unsendable = Unsendable;
        try
        {
            while (!_readEnded)
            {
                if (_pending.Refill())
                {
                    output.Clear();
                    _pending.Advance(encoder.Encode(_pending.Messages, output, unsendable));
                    if (output.Length > 0) await _call.WriteAsync(output.WrittenMemory, _call.Aborted);
                }
                else if (_leaving)
                {
                    await _call.WriteAsync(Handshake.Frame(new RemoteMessage { DisconnectRequest = new DisconnectRequest() }), _call.Aborted)
                        ;
                    return;
                }
                else
                {
                    await _queue.WaitAsync();
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            LogLost(_logger, ClientId, gone.Message);
        }
    }

    void Unsendable(OutgoingMessage message, Exception reason)
    {
        LogUnsendable(_logger, reason, message.Message.GetType().Name, ClientId);
        DeadLetters.NotSent(_system, message);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} connected")]
    static partial void LogConnected(ILogger logger, string clientId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} is gone: {Reason}")]
    static partial void LogLost(ILogger logger, string clientId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message of type {TypeName} to client {ClientId} cannot be sent")]
    static partial void LogUnsendable(ILogger logger, Exception reason, string typeName, string clientId);
}
