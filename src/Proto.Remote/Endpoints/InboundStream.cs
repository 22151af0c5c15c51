using Proto.Remote.Transport;

namespace Proto.Remote.Endpoints;

/// <summary>A stream that another member opened: it only brings messages. Messages to that member leave over a stream of our own.</summary>
sealed class InboundStream(IServerCall call, string peerId, IncomingMessages incoming, TimeProvider time)
{
    static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(1);
    static readonly byte[] Disconnect = Handshake.Frame(new RemoteMessage { DisconnectRequest = new DisconnectRequest() });

    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile bool _stopping;
    volatile bool _superseded;

    public string PeerId => peerId;

    public bool IsStopping => _stopping;

    /// <summary>Completes when nothing more is delivered.</summary>
    public Task End => _ended.Task;

    /// <exception cref="GrpcException">What came is malformed: the stream ends with that status, other streams do not notice.</exception>
    public async Task ReadToEndAsync()
    {
        while (true)
        {
            while (!_superseded && call.Requests.TryRead(out var frame))
            {
                // Anything but a batch has no meaning here and is left out.
                if (Handshake.TryGetBatch(frame.Span, out var batch)) incoming.Receive(batch);
                else Handshake.Parse(frame.Span);
            }

            if (_superseded || !await call.Requests.FillAsync(call.Aborted)) return;
        }
    }

    /// <summary>
    /// The peer has opened another stream: completes when this one delivers nothing any more. What it still holds was sent before what the
    /// new one brings, and must not come after it.
    /// </summary>
    public Task SupersedeAsync()
    {
        _superseded = true;
        _stopping = true;
        call.Abort();
        return _ended.Task;
    }

    public void Ended() => _ended.TrySetResult();

    /// <summary>Ends the stream; gracefully: the peer is told first and may end it itself.</summary>
    public async Task StopAsync(bool graceful)
    {
        _stopping = true;
        if (graceful)
        {
            using var deadline = new CancellationTokenSource(LeaveTimeout, time);
            try
            {
                await call.WriteAsync(Disconnect, deadline.Token);
                await _ended.Task.OnThisContext().WaitAsync(deadline.Token);
                return;
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException)
            {
                // It does not listen any more: there is nobody to be polite to.
            }
        }

        call.Abort();
        await _ended.Task;
    }
}
