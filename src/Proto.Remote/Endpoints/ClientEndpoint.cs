using Microsoft.Extensions.Logging;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>The way to a client: back over the stream that it opened. It ends with the stream.</summary>
sealed partial class ClientEndpoint : IEndpoint
{
    static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LogPeriod = TimeSpan.FromSeconds(10);

    readonly ActorSystem _system;
    readonly IServerCall _call;
    readonly ILogger _logger;
    readonly LogThrottle _fullThrottle;
    readonly LogThrottle _unsendableThrottle;
    readonly RemoteMetrics _metrics;
    readonly OutgoingQueue _queue;
    readonly OutgoingBatches _batches;
    readonly WatchTable _watches = new();
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly string _idPrefix;
    volatile bool _readEnded;
    volatile bool _leaving;

    public ClientEndpoint(ActorSystem system, RemoteConfigBase config, RemoteMetrics metrics, IServerCall call, ClientConnection greeting)
    {
        _system = system;
        _call = call;
        _logger = system.LoggerFactory.CreateLogger<ClientEndpoint>();
        var time = system.Config.TimeProvider;
        _fullThrottle = new LogThrottle(time, 1, LogPeriod);
        _unsendableThrottle = new LogThrottle(time, 3, LogPeriod);
        _metrics = metrics;
        ClientId = greeting.MemberId;
        _idPrefix = AddressOf(ClientId) + "/";
        Process = new RemoteProcess(system, config.Serialization, this);
        _queue = new OutgoingQueue(config.EndpointWriterOptions.MaxQueuedMessages, config.EndpointWriterOptions.MaxQueuedBytes);
        _batches = new OutgoingBatches(system, config, metrics, _queue, _idPrefix, Unsendable);
        _batches.LimitTo(greeting.MaxMessageBytes);
    }

    public string ClientId { get; }

    public RemoteProcess Process { get; }

    /// <summary>What waits or is in flight.</summary>
    public (int Messages, long Bytes) Load => _queue.Load;

    public static string AddressOf(string clientId) => Handshake.ClientPrefix + clientId;

    public void Send(in OutgoingMessage message, bool priority)
    {
        switch (_queue.TryEnqueue(message, priority))
        {
            case EnqueueResult.Queued:
                return;
            case EnqueueResult.Full when _fullThrottle.TryEnter(out _):
                LogFull(_logger, ClientId, _queue.Load.Messages, _queue.Load.Bytes);
                break;
        }

        NotSent(message, $"the client {ClientId} is gone, or does not take messages fast enough");
    }

    public void SendSystem(PID target, SystemMessage message)
    {
        switch (message)
        {
            case Watch watch: _watches.Add(OwnId(target.Id), watch.Watcher); break;
            case Unwatch unwatch: _watches.Remove(OwnId(target.Id), unwatch.Watcher); break;
        }

        Send(new OutgoingMessage(target, message, null, null, message is Google.Protobuf.IMessage wire ? wire.CalculateSize() : 0), message is not Terminated);
    }

    /// <summary>An actor of the client stopped: tells the watcher that waits for it, if it does.</summary>
    public void ActorTerminated(PID watcher, Terminated terminated)
    {
        if (_watches.Remove(terminated.Who.Id, watcher)) TellEnd(terminated.Who.Id, watcher, terminated.Why);
    }

    /// <summary>Serves the stream to its end.</summary>
    public async Task RunAsync(IncomingMessages incoming)
    {
        LogConnected(_logger, ClientId);
        _metrics.EndpointConnected(AddressOf(ClientId));
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
            _metrics.EndpointDisconnected(AddressOf(ClientId));
        }
    }

    /// <summary>The stream is gone: who waits is told, and what was not sent becomes dead letters.</summary>
    public void Ended()
    {
        Process.Retire();
        _queue.Close();
        _batches.StreamLost($"the client {ClientId} is gone");
        while (_batches.TryTakeOne(out var message)) NotSent(message, $"the client {ClientId} is gone");
        foreach (var (id, watcher) in _watches.TakeAll()) TellEnd(id, watcher, TerminatedReason.AddressTerminated);
        _batches.Dispose();
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
        try
        {
            while (!_readEnded)
            {
                if (_batches.EncodeNext())
                {
                    if (_batches.Output.IsEmpty) continue;
                    await _call.WriteAsync(_batches.Output, _call.Aborted);
                    _batches.Left();
                }
                else if (_leaving)
                {
                    await _call.WriteAsync(Handshake.Frame(new RemoteMessage { DisconnectRequest = new DisconnectRequest() }), _call.Aborted);
                    return;
                }
                else
                {
                    await _queue.WaitAsync(WaitFor.Messages);
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            LogLost(_logger, ClientId, gone.Message);
        }
    }

    string OwnId(string id) => id.StartsWith(_idPrefix, StringComparison.Ordinal) ? id[_idPrefix.Length..] : id;

    void TellEnd(string id, PID watcher, TerminatedReason why) =>
        watcher.SendSystemMessage(_system, new Terminated { Who = PID.FromAddress(_system.Address, _idPrefix + id), Why = why });

    void NotSent(in OutgoingMessage message, string reason)
    {
        // A watcher is told once: by whoever takes it out of the table.
        if (message.Message is not Watch watch) DeadLetters.NotSent(_system, message, reason);
        else if (_watches.Remove(OwnId(message.Target.Id), watch.Watcher)) TellEnd(OwnId(message.Target.Id), watch.Watcher, TerminatedReason.AddressTerminated);
    }

    void Unsendable(OutgoingMessage message, Exception reason)
    {
        if (_unsendableThrottle.TryEnter(out _)) LogUnsendable(_logger, reason, message.Message.GetType().Name, ClientId);
        NotSent(message, reason.Message);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} connected")]
    static partial void LogConnected(ILogger logger, string clientId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} is gone: {Reason}")]
    static partial void LogLost(ILogger logger, string clientId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message of type {TypeName} to client {ClientId} cannot be sent")]
    static partial void LogUnsendable(ILogger logger, Exception reason, string typeName, string clientId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Client {ClientId} does not take what is sent fast enough: {Messages} messages of about {Bytes} bytes wait, more become dead letters")]
    static partial void LogFull(ILogger logger, string clientId, int messages, long bytes);
}
