using Microsoft.Extensions.Logging;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>
/// The way to the system at one address. One loop owns it: it connects when there is something to send, writes what is queued,
/// and notices the end of the connection.
///
/// After a lost connection an attempt is made at once; meanwhile messages wait. When it is refused, or attempts keep failing, the circuit opens: watchers
/// and the event stream are told, what is queued becomes dead letters, and so does at once whatever comes. Each refused message asks for another
/// attempt in the background, at most one per back-off; a peer that connects to us is called back at once. What no byte of has been handed to the
/// transport is sent over the next connection; what may have left is reported as unknown, and never repeated.
/// </summary>
sealed partial class ServerEndpoint : IEndpoint
{
    static readonly TimeSpan FlushAtShutdown = TimeSpan.FromSeconds(1);

    /// <summary>A connection that ends sooner counts as a failed attempt: a peer that accepts and drops must not be called in a hot loop.</summary>
    static readonly TimeSpan ShortLived = TimeSpan.FromMilliseconds(100);

    /// <summary>A little more than a leaving peer takes to flush.</summary>
    static readonly TimeSpan LastWordsTimeout = FlushAtShutdown * 1.5;

    static readonly TimeSpan LogPeriod = TimeSpan.FromSeconds(10);

    readonly ActorSystem _system;
    readonly EndpointManager _manager;
    readonly RemoteConfigBase _config;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly LogThrottle _fullThrottle;
    readonly LogThrottle _unsendableThrottle;
    readonly RemoteMetrics _metrics;
    readonly OutgoingQueue _queue;
    readonly OutgoingBatches _batches;
    readonly WatchTable _watches = new();
    readonly ReconnectBackoff _backoff;
    readonly CancellationTokenSource _stop;
    readonly Task _run;
    volatile bool _stopping;
    volatile bool _probe;
    volatile bool _probeNow;
    volatile bool _timeIsUp;
    // Written by the loop only.
    volatile string? _peerId;
    volatile string _downReason = "";
    EndpointState _state = EndpointState.Connecting;

    public ServerEndpoint(ActorSystem system, EndpointManager manager, RemoteConfigBase config, string address)
    {
        _system = system;
        _manager = manager;
        _config = config;
        _time = system.Config.TimeProvider;
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        _logger = system.LoggerFactory.CreateLogger<ServerEndpoint>();
        _fullThrottle = new LogThrottle(_time, 1, LogPeriod);
        _unsendableThrottle = new LogThrottle(_time, 3, LogPeriod);
        Address = address;
        Process = new RemoteProcess(system, config.Serialization, this);
        var options = config.EndpointWriterOptions;
        _metrics = manager.Metrics;
        _backoff = new ReconnectBackoff(options, _time, system.Config.Runtime);
        _queue = new OutgoingQueue(options.MaxQueuedMessages, options.MaxQueuedBytes);
        _batches = new OutgoingBatches(system, config, _metrics, _queue, "", Unsendable);
        _run = system.Config.Runtime.Run(RunAsync);
    }

    public string Address { get; }

    public RemoteProcess Process { get; }

    /// <summary>The system that answered at the address last; null when none has, or it is gone.</summary>
    public string? PeerId => _peerId;

    /// <summary>What waits or is in flight.</summary>
    public (int Messages, long Bytes) Load => _queue.Load;

    public void Send(in OutgoingMessage message, bool priority)
    {
        switch (_queue.TryEnqueue(message, priority))
        {
            case EnqueueResult.Full:
                if (_fullThrottle.TryEnter(out _)) LogFull(_logger, Address, _queue.Load.Messages, _queue.Load.Bytes);
                NotSent(message, $"{Address} does not take messages fast enough, and as many as may wait do");
                break;
            case EnqueueResult.Refused:
                NotSent(message, _downReason);
                break;
            case EnqueueResult.Closed:
                // A watcher that the end of this endpoint has told already is not to be told again.
                if (message.Message is Watch watch && !_watches.Remove(message.Target.Id, watch.Watcher)) break;
                _manager.SendAgain(this, message, priority);
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

        var outgoing = new OutgoingMessage(target, message, null, null, message is Google.Protobuf.IMessage wire ? wire.CalculateSize() : 0);
        if (_manager.IsClient && message is not Terminated) StaysHere(outgoing);
        else Send(outgoing, IsUrgent(message));
    }

    /// <summary>
    /// Members take from a client the end of an actor that they watch, and no other system message: its watch learns of the loss of the address
    /// only, and for that there has to be a connection.
    /// </summary>
    void StaysHere(in OutgoingMessage message)
    {
        LogClientWatch(_logger, message.Message.GetType().Name, message.Target.Id);
        if (message.Message is not Watch watch) return;
        if (!_queue.IsClosed) Probe();
        else if (_watches.Remove(message.Target.Id, watch.Watcher)) _manager.SendAgain(this, message, priority: true);
    }

    /// <summary>A watched actor behind this endpoint stopped: true if that watcher still waits for it.</summary>
    public bool RemoveWatch(string watcheeId, PID watcher) => _watches.Remove(watcheeId, watcher);

    /// <summary>Finds out whether the peer is there: its connection to us broke.</summary>
    public void Probe()
    {
        _probe = true;
        _queue.Signal();
    }

    /// <summary>
    /// The peer has just connected to us: no pause is due. What it told us over an earlier stream, of actors that ended, may have been lost with that.
    /// </summary>
    public void PeerConnected()
    {
        _probeNow = true;
        Probe();
        RenewWatches();
    }

    /// <summary>Ends the endpoint; gracefully means that what is queued is written first, for a bounded time.</summary>
    public async Task StopAsync(bool graceful)
    {
        _stopping = true;
        _queue.Close();
        if (graceful) _stop.CancelAfter(FlushAtShutdown);
        else _stop.Cancel();
        _queue.Signal();

        await _run;
    }

    /// <summary>
    /// A termination is no urgent message: it must not overtake the replies that the actor sent before. Locally, too, the others overtake
    /// what waits in a mailbox.
    /// </summary>
    static bool IsUrgent(SystemMessage message) => message is not Terminated;

    async Task RunAsync()
    {
        try
        {
            while (!_stopping)
            {
                if (_state == EndpointState.Unreachable)
                {
                    if (!await WaitForProbeAsync()) return;
                }
                else if (!_batches.HasWork && !_probe)
                {
                    if (!await WaitForWorkAsync()) return;
                    continue;
                }
                else
                {
                    await PauseAsync();
                }

                if (_stopping) return;
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
            _batches.StreamLost("the endpoint ended");
            DropQueued("this system stops");
            NotifyWatchers();
            _batches.Dispose();
        }
    }

    /// <summary>False when the endpoint may be forgotten: it is not connected, and nobody has used it for long.</summary>
    async Task<bool> WaitForWorkAsync() => await WaitAsync(WaitFor.Messages, Keep) || _probe || !_queue.Close(onlyIfUnused: true);

    /// <summary>With an open circuit: true when an attempt is due, false when the endpoint may be forgotten.</summary>
    async Task<bool> WaitForProbeAsync()
    {
        await PauseAsync();
        while (!_stopping && !_probeNow && !_queue.TakeRefusedSome())
        {
            if (!await WaitAsync(WaitFor.Refusal, Keep) && _queue.Close(onlyIfUnused: true)) return false;
        }

        return true;
    }

    /// <summary>Waits until the next attempt is due, the peer connects, or the endpoint stops.</summary>
    async Task PauseAsync()
    {
        while (!_stopping && !_probeNow && _backoff.Remaining is var remaining && remaining > TimeSpan.Zero)
        {
            if (!await WaitAsync(WaitFor.SignalOnly, remaining)) return;
        }
    }

    /// <summary>False when the time was up first.</summary>
    async Task<bool> WaitAsync(WaitFor what, TimeSpan limit)
    {
        var wait = _queue.WaitAsync(what);
        if (wait.IsCompleted)
        {
            await wait;
            return true;
        }

        _timeIsUp = false;
        await using var timer = _time.CreateTimer(static endpoint => ((ServerEndpoint)endpoint!).TimeIsUp(), this, limit, Timeout.InfiniteTimeSpan);
        await wait;
        return !_timeIsUp;
    }

    void TimeIsUp()
    {
        _timeIsUp = true;
        _queue.Signal();
    }

    TimeSpan Keep => _config.WaitAfterEndpointTerminationTimeSpan ?? TimeSpan.FromSeconds(3);

    async Task<PeerConnection?> TryConnectAsync()
    {
        _probe = false;
        _probeNow = false;
        try
        {
            var connection = await PeerConnection
                .OpenAsync(_manager.Transport, Address, _manager.Greeting(Address), _config.EndpointWriterOptions, _time, _stop.Token);
            if (_manager.BlockList.IsBlocked(connection.PeerId))
            {
                connection.Dispose();
                throw new PeerRefusedException($"{Address} ({connection.PeerId}) is on this system's block list");
            }

            Connected(connection);
            return connection;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failure)
        {
            _backoff.Failed();
            var everConnected = _peerId is not null;
            // Refused: nobody listens there any more. Timed out: it had its time. A reset may be just another broken connection.
            var isGone = everConnected && (TransportFailure.IsRefused(failure) || failure is TimeoutException);
            if (isGone || _backoff.Failures >= _config.EndpointWriterOptions.MaxRetries || failure is PeerRefusedException || _state == EndpointState.Unreachable)
                GoDown(failure.Message);
            else
                _probe = true;
            return null;
        }
    }

    void Connected(PeerConnection connection)
    {
        var peerId = connection.PeerId;
        _backoff.Reset();
        var known = _peerId;
        if (known is not null && !string.Equals(known, peerId, StringComparison.Ordinal))
        {
            // Another incarnation answers at the address: the one that was watched is gone.
            LogReplaced(_logger, Address, known, peerId);
            _peerId = peerId;
            NotifyWatchers();
            _system.EventStream.Publish(new EndpointTerminatedEvent(false, Address, known));
        }

        _peerId = peerId;
        LogConnected(_logger, Address, peerId);
        _metrics.EndpointConnected(Address);
        _batches.LimitTo(connection.PeerMaxMessageBytes);
        _queue.Accept();
        SetState(EndpointState.Connected, "the peer answered");
        // A watch, or the word of an end, may have been lost with the connection before.
        if (string.Equals(known, peerId, StringComparison.Ordinal)) RenewWatches();
    }

    async Task ServeAsync(PeerConnection connection)
    {
        var connectedAt = _time.GetTimestamp();
        var incoming = new IncomingMessages(_system, _config, _manager, connection.PeerId, Address, "");
        var reading = connection.ReadToEndAsync(
            frame =>
            {
                Handshake.TryGetBatch(frame.Span, out var batch);
                incoming.Receive(batch);
            },
            _queue.Signal);
        // A write that waits for the peer's window must not hold up the end.
        using var stopping = _stop.Token.UnsafeRegister(static served => ((PeerConnection)served!).Abort(), connection);
        var writeFailure = "";
        try
        {
            await WriteAllAsync(connection);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            writeFailure = broken.Message;
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
        if (connection.End == PeerConnectionEnd.PeerLeft) await LastWordsAsync(connection.PeerId);
        var reason = _stopping ? "this system stopped" : connection.EndReason.Length > 0 ? connection.EndReason : writeFailure;
        _metrics.EndpointDisconnected(Address);
        LogLost(_logger, Address, connection.PeerId, reason);
        _batches.StreamLost($"the connection to {Address} ended: {reason}");
        if (_stopping) return;
        if (_time.GetElapsedTime(connectedAt) < ShortLived) _backoff.Failed();
        if (connection.End == PeerConnectionEnd.PeerLeft)
        {
            GoDown(reason);
            return;
        }

        if (connection.End == PeerConnectionEnd.Refused) LogRefusedUs(_logger, Address, reason);
        _probe = true;
        SetState(EndpointState.Connecting, reason);
    }

    /// <summary>A peer that leaves flushes what it has for us: replies to requests that would otherwise end as unknown.</summary>
    async Task LastWordsAsync(string peerId)
    {
        try
        {
            await _manager.InboundEndedAsync(peerId).WaitAsync(LastWordsTimeout, _time, _stop.Token);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            LogNoLastWords(_logger, Address, peerId);
        }
    }

    /// <summary>Writes until the connection ends or the endpoint stops. Batches what is there, flushes when nothing more is.</summary>
    async Task WriteAllAsync(PeerConnection connection)
    {
        var unflushed = false;
        while (!connection.HasEnded && !_stop.IsCancellationRequested)
        {
            if (_batches.EncodeNext())
            {
                if (_batches.Output.IsEmpty) continue;
                if (connection.HasEnded)
                {
                    _batches.Rewind();
                    return;
                }

                await WriteAsync(connection);
                unflushed = true;
            }
            else if (unflushed)
            {
                await connection.FlushAsync();
                _batches.Left();
                unflushed = false;
            }
            else if (_stopping)
            {
                return;
            }
            else
            {
                await _queue.WaitAsync(WaitFor.Messages);
            }
        }
    }

    async ValueTask WriteAsync(PeerConnection connection)
    {
        if (!_metrics.MeasuresWrites)
        {
            await connection.WriteAsync(_batches.Output);
            return;
        }

        var started = _time.GetTimestamp();
        await connection.WriteAsync(_batches.Output);
        _metrics.Written(Address, _time.GetElapsedTime(started));
    }

    /// <summary>Opens the circuit, or leaves it open after another failed attempt.</summary>
    void GoDown(string reason)
    {
        var first = _state != EndpointState.Unreachable;
        _downReason = $"{Address} is not reachable: {reason}";
        _queue.Refuse();
        if (_backoff.Failures == 0) _backoff.Failed();
        var peerId = _peerId;
        _peerId = null;
        if (first)
        {
            LogDown(_logger, Address, peerId, reason);
            // First the event, so that whoever caches PIDs of the peer forgets them before the dead letters cause new lookups.
            _system.EventStream.Publish(new EndpointTerminatedEvent(false, Address, peerId));
            SetState(EndpointState.Unreachable, reason);
        }

        NotifyWatchers();
        DropQueued(_downReason);
    }

    void SetState(EndpointState state, string reason)
    {
        if (_state == state) return;
        _state = state;
        _system.EventStream.Publish(new EndpointStateChanged(Address, _peerId, state, reason));
    }

    void NotifyWatchers()
    {
        foreach (var (id, watcher) in _watches.TakeAll())
        {
            watcher.SendSystemMessage(
                _system, new Terminated { Who = PID.FromAddress(Address, id), Why = TerminatedReason.AddressTerminated });
        }
    }

    /// <summary>The queue takes nothing more: this ends.</summary>
    void DropQueued(string reason)
    {
        while (_batches.TryTakeOne(out var message)) NotSent(message, reason);
    }

    /// <summary>An actor that is watched twice by the same watcher tells its end once.</summary>
    void RenewWatches()
    {
        foreach (var (id, watcher) in _watches.All())
        {
            var watch = new Watch(watcher);
            Send(new OutgoingMessage(PID.FromAddress(Address, id), watch, null, null, watch.CalculateSize()), priority: true);
        }
    }

    void NotSent(in OutgoingMessage message, string reason)
    {
        // A watcher is told once: by whoever takes it out of the table.
        if (message.Message is Watch watch && !_watches.Remove(message.Target.Id, watch.Watcher)) return;
        DeadLetters.NotSent(_system, message, reason);
    }

    void Unsendable(OutgoingMessage message, Exception reason)
    {
        if (_unsendableThrottle.TryEnter(out _)) LogUnsendable(_logger, reason, message.Message.GetType().Name, Address);
        NotSent(message, reason.Message);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to {Address} ({PeerId})")]
    static partial void LogConnected(ILogger logger, string address, string peerId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} is {NewPeerId} now; {OldPeerId} is gone")]
    static partial void LogReplaced(ILogger logger, string address, string oldPeerId, string newPeerId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connection to {Address} ({PeerId}) ended: {Reason}")]
    static partial void LogLost(ILogger logger, string address, string peerId, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Address} ({PeerId}) leaves, and did not end its own stream in time")]
    static partial void LogNoLastWords(ILogger logger, string address, string peerId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} ({PeerId}) is not reachable: {Reason}")]
    static partial void LogDown(ILogger logger, string address, string? peerId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Address} refused this system: {Reason}")]
    static partial void LogRefusedUs(ILogger logger, string address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} does not take what is sent fast enough: {Messages} messages of about {Bytes} bytes wait, more become dead letters")]
    static partial void LogFull(ILogger logger, string address, int messages, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message of type {TypeName} to {Address} cannot be sent")]
    static partial void LogUnsendable(ILogger logger, Exception reason, string typeName, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{TypeName} to {Target} stays here: a client cannot send system messages to members")]
    static partial void LogClientWatch(ILogger logger, string typeName, string target);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The endpoint of {Address} failed")]
    static partial void LogFailed(ILogger logger, Exception failure, string address);
}
