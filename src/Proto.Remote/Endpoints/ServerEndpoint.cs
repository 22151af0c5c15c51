using Microsoft.Extensions.Logging;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>
/// The way to the system at one address. One loop owns it: it connects when there is something to send, writes what is queued,
/// and notices the end of the connection.
///
/// After a lost connection an attempt is made at once. When it is refused the peer counts as gone: watchers and the event stream are
/// told, and what is queued becomes dead letters. From then on each message causes another attempt, at most one per back-off, so
/// that a restarted peer is reachable again at once. Messages not yet handed to the transport are sent over the next connection;
/// a batch whose write failed may have left and is never repeated.
/// </summary>
sealed partial class ServerEndpoint : IEndpoint
{
    static readonly TimeSpan FlushAtShutdown = TimeSpan.FromSeconds(1);

    /// <summary>A connection that ends sooner counts as a failed attempt: a peer that accepts and drops must not be called in a hot loop.</summary>
    static readonly TimeSpan ShortLived = TimeSpan.FromMilliseconds(100);

    readonly ActorSystem _system;
    readonly EndpointManager _manager;
    readonly RemoteConfigBase _config;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly OutgoingQueue _queue;
    readonly PendingMessages _pending;
    readonly BatchEncoder _encoder;
    readonly WireWriter _output = new(64 * 1024);
    readonly WatchTable _watches = new();
    readonly CancellationTokenSource _stop;
    readonly Action<OutgoingMessage, Exception> _unsendable;
    readonly Task _run;
    volatile bool _stopping;
    volatile bool _probe;
    volatile bool _idleTimeout;
    // Owned by the loop.
    string? _peerId;
    bool _down;
    int _failures;
    long _lastFailure;

    public ServerEndpoint(ActorSystem system, EndpointManager manager, RemoteConfigBase config, string address)
    {
        _system = system;
        _manager = manager;
        _config = config;
        _time = system.Config.TimeProvider;
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        _logger = system.LoggerFactory.CreateLogger<ServerEndpoint>();
        Address = address;
        Process = new RemoteProcess(system, this);
        var options = config.EndpointWriterOptions;
        _queue = new OutgoingQueue(options.MaxQueuedMessages);
        _pending = new PendingMessages(_queue);
        _encoder = new BatchEncoder(
            system, config.Serialization, system.Address, options.EndpointWriterBatchSize, options.MaxMessageBytes, config.MaxSentFrameBytes);
        _unsendable = Unsendable;
        _run = system.Config.Runtime.Run(RunAsync);
    }

    public string Address { get; }

    public RemoteProcess Process { get; }

    public void Send(in OutgoingMessage message)
    {
        switch (_queue.TryEnqueue(message))
        {
            case EnqueueResult.Full:
                LogFull(_logger, Address, _config.EndpointWriterOptions.MaxQueuedMessages);
                NotSent(message);
                break;
            case EnqueueResult.Closed:
                _manager.SendAgain(this, message);
                break;
        }
    }

    public void SendSystem(PID target, SystemMessage message)
    {
        switch (message)
        {
            case Watch watch: _watches.Add(target.Id, watch.Watcher); break;
            case Unwatch unwatch: _watches.Remove(target.Id, unwatch.Watcher); break;
        }

        // A client's system messages are refused by members: its watch learns of the loss of the address only.
        if (_manager.IsClient) LogClientWatch(_logger, message.GetType().Name, target.Id);
        else Send(new OutgoingMessage(target, message, null, null));
    }

    /// <summary>A watched actor behind this endpoint stopped: true if that watcher still waits for it.</summary>
    public bool RemoveWatch(string watcheeId, PID watcher) => _watches.Remove(watcheeId, watcher);

    /// <summary>Finds out whether the peer is there: it connected to us, or its connection to us broke.</summary>
    public void Probe()
    {
        _probe = true;
        _queue.Signal();
    }

    /// <summary>Ends the endpoint; gracefully means that what is queued is written first, for a bounded time.</summary>
    public async Task StopAsync(bool graceful)
    {
        _stopping = true;
        _queue.Close();
        _queue.Signal();
        if (graceful) _stop.CancelAfter(FlushAtShutdown);
        else _stop.Cancel();

        await _run;
    }

    async Task RunAsync()
    {
        try
        {
            while (!_stopping)
            {
                if (!_pending.Refill() && !_probe)
                {
                    if (!await WaitForWorkAsync()) return;
                    continue;
                }

                using var connection = await TryConnectAsync();
                if (connection is not null) await ServeAsync(connection);
            }
        }
        catch (Exception unexpected)
        {
            LogFailed(_logger, unexpected, Address);
        }
        finally
        {
            _manager.Remove(this);
            _queue.Close();
            Process.Retire();
            DropQueued();
            NotifyWatchers();
            _encoder.Dispose();
            _output.Dispose();
        }
    }

    /// <summary>False when the endpoint may be forgotten: it is not connected, and nobody has used it for long.</summary>
    async Task<bool> WaitForWorkAsync()
    {
        var wait = _queue.WaitAsync();
        if (wait.IsCompleted)
        {
            await wait;
            return true;
        }

        var keep = _config.WaitAfterEndpointTerminationTimeSpan ?? TimeSpan.FromSeconds(3);
        await using var timer = _time.CreateTimer(static endpoint => ((ServerEndpoint)endpoint!).IdleTimeout(), this, keep, Timeout.InfiniteTimeSpan);
        await wait;
        if (!_idleTimeout) return true;
        _idleTimeout = false;
        return !_queue.Close(onlyIfEmpty: true);
    }

    void IdleTimeout()
    {
        _idleTimeout = true;
        _queue.Signal();
    }

    async Task<PeerConnection?> TryConnectAsync()
    {
        if (_failures > 0 && !await PauseAsync()) return null;
        _probe = false;
        try
        {
            var connection = await PeerConnection
                .OpenAsync(_manager.Transport, Address, _manager.Greeting(), _config.EndpointWriterOptions, _time, _stop.Token)
                ;
            if (_manager.BlockList.IsBlocked(connection.PeerId))
            {
                connection.Dispose();
                throw new PeerRefusedException($"{Address} ({connection.PeerId}) is on this system's block list");
            }

            Connected(connection.PeerId);
            return connection;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failure)
        {
            Failed();
            var options = _config.EndpointWriterOptions;
            var everConnected = _peerId is not null;
            // Refused: nobody listens there any more. Timed out: it had its time. A reset may be just another broken connection.
            var isGone = everConnected && (TransportFailure.IsRefused(failure) || failure is TimeoutException);
            if (_down || isGone || _failures >= options.MaxRetries || failure is PeerRefusedException)
            {
                if (failure is PeerRefusedException) LogRefusedUs(_logger, Address, failure.Message);
                GoDown(failure.Message);
            }
            else
            {
                _probe = true;
            }

            return null;
        }
    }

    /// <summary>Waits until the next attempt is due; false when the endpoint stops meanwhile.</summary>
    async Task<bool> PauseAsync()
    {
        var pause = _config.EndpointWriterOptions.RetryBackOff * (1 - _system.Config.Runtime.NextDouble() / 2) - _time.GetElapsedTime(_lastFailure);
        if (pause <= TimeSpan.Zero) return !_stopping;
        try
        {
            await Task.Delay(pause, _time, _stop.Token);
            return !_stopping;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    void Connected(string peerId)
    {
        _failures = 0;
        if (_peerId is not null && !_down && !string.Equals(_peerId, peerId, StringComparison.Ordinal))
        {
            // Another incarnation answers at the address: the one that was watched is gone.
            LogReplaced(_logger, Address, _peerId, peerId);
            var old = _peerId;
            _peerId = peerId;
            NotifyWatchers();
            _system.EventStream.Publish(new EndpointTerminatedEvent(false, Address, old));
        }

        LogConnected(_logger, Address, peerId);
        _peerId = peerId;
        _down = false;
    }

    async Task ServeAsync(PeerConnection connection)
    {
        var connectedAt = _time.GetTimestamp();
        var incoming = new IncomingMessages(_system, _config, _manager, Address, "");
        var reading = connection.ReadToEndAsync(
            frame =>
            {
                Handshake.TryGetBatch(frame.Span, out var batch);
                incoming.Receive(batch);
            },
            _queue.Signal);
        try
        {
            await WriteAllAsync(connection);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            LogWriteFailed(_logger, broken, Address);
        }

        if (_stopping && !_stop.IsCancellationRequested && !connection.HasEnded)
        {
            // A reset could overtake what was just written: a graceful end waits for the peer to have read to the end. Only that end is
            // clean: any other must look to the peer like what it is, a broken stream.
            connection.CompleteRequests();
            await Task.WhenAny(reading, Task.Delay(FlushAtShutdown, _time, _stop.Token));
        }

        connection.Dispose();
        await reading;
        if (_stopping) return;
        if (_time.GetElapsedTime(connectedAt) < ShortLived) Failed();

        LogLost(_logger, Address, connection.PeerId, connection.EndReason);
        switch (connection.End)
        {
            case PeerConnectionEnd.Lost:
                _probe = true;
                break;
            case PeerConnectionEnd.Refused:
                LogRefusedUs(_logger, Address, connection.EndReason);
                _probe = true;
                break;
            case PeerConnectionEnd.PeerLeft:
                GoDown(connection.EndReason);
                break;
        }
    }

    /// <summary>Writes until the connection ends or the endpoint stops. Batches what is there, flushes when nothing more is.</summary>
    async Task WriteAllAsync(PeerConnection connection)
    {
        var unflushed = false;
        while (!connection.HasEnded && !_stop.IsCancellationRequested)
        {
            if (_pending.Refill())
            {
                _output.Clear();
                _pending.Advance(_encoder.Encode(_pending.Messages, _output, _unsendable));
                if (_output.Length == 0) continue;
                await connection.WriteAsync(_output.WrittenMemory);
                unflushed = true;
            }
            else if (unflushed)
            {
                unflushed = false;
                await connection.FlushAsync();
            }
            else if (_stopping)
            {
                return;
            }
            else
            {
                await _queue.WaitAsync();
            }
        }
    }

    void GoDown(string reason)
    {
        var first = !_down;
        _down = true;
        if (_failures == 0) Failed();
        var peerId = _peerId;
        _peerId = null;
        if (first)
        {
            LogDown(_logger, Address, peerId, reason);
            // First the event, so that whoever caches PIDs of the peer forgets them before the dead letters cause new lookups.
            _system.EventStream.Publish(new EndpointTerminatedEvent(false, Address, peerId));
        }

        NotifyWatchers();
        DropQueued();
    }

    void Failed()
    {
        _failures++;
        _lastFailure = _time.GetTimestamp();
    }

    void NotifyWatchers()
    {
        foreach (var (id, watcher) in _watches.TakeAll())
        {
            watcher.SendSystemMessage(
                _system, new Terminated { Who = PID.FromAddress(Address, id), Why = TerminatedReason.AddressTerminated });
        }
    }

    void DropQueued()
    {
        // What comes while the dead letters are told is for the next attempt: taking it too could go on for ever.
        _pending.Refill();
        while (!_pending.IsEmpty) NotSent(_pending.TakeOne());
        if (!_stopping && !_queue.IsClosed) return;
        while (_pending.Refill()) NotSent(_pending.TakeOne());
    }

    void NotSent(in OutgoingMessage message)
    {
        // A watcher is told once: by whoever takes it out of the table.
        if (message.Message is Watch watch && !_watches.Remove(message.Target.Id, watch.Watcher)) return;
        DeadLetters.NotSent(_system, message);
    }

    void Unsendable(OutgoingMessage message, Exception reason)
    {
        LogUnsendable(_logger, reason, message.Message.GetType().Name, Address);
        NotSent(message);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to {Address} ({PeerId})")]
    static partial void LogConnected(ILogger logger, string address, string peerId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} is {NewPeerId} now; {OldPeerId} is gone")]
    static partial void LogReplaced(ILogger logger, string address, string oldPeerId, string newPeerId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connection to {Address} ({PeerId}) ended: {Reason}")]
    static partial void LogLost(ILogger logger, string address, string peerId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} ({PeerId}) is not reachable: {Reason}")]
    static partial void LogDown(ILogger logger, string address, string? peerId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Address} refused this system: {Reason}")]
    static partial void LogRefusedUs(ILogger logger, string address, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A batch to {Address} may have been lost with its connection")]
    static partial void LogWriteFailed(ILogger logger, Exception failure, string address);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The queue to {Address} is full ({Limit} messages)")]
    static partial void LogFull(ILogger logger, string address, int limit);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message of type {TypeName} to {Address} cannot be sent")]
    static partial void LogUnsendable(ILogger logger, Exception reason, string typeName, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{TypeName} to {Target} stays here: a client cannot send system messages to members")]
    static partial void LogClientWatch(ILogger logger, string typeName, string target);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The endpoint of {Address} failed")]
    static partial void LogFailed(ILogger logger, Exception failure, string address);
}
