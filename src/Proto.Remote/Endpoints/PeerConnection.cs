using Proto.Remote.Transport;

namespace Proto.Remote.Endpoints;

/// <summary>How a stream to a peer ended.</summary>
enum PeerConnectionEnd
{
    /// <summary>The peer went away without a word, or the connection broke.</summary>
    Lost,

    /// <summary>The peer said that it leaves.</summary>
    PeerLeft,

    /// <summary>The peer ended the stream with a status: it refuses what it got.</summary>
    Refused,
}

/// <summary>An open stream to a peer, after the handshake. One writer; the reader watches for its end.</summary>
sealed class PeerConnection : IDisposable
{
    readonly ITransportChannel _channel;
    readonly IClientCall _call;
    readonly CancellationTokenSource _ended = new();
    volatile bool _hasEnded;

    PeerConnection(ITransportChannel channel, IClientCall call, ConnectResponse answer)
    {
        _channel = channel;
        _call = call;
        PeerId = answer.MemberId;
        PeerMaxMessageBytes = answer.MaxMessageBytes;
    }

    public string PeerId { get; }

    /// <summary>The largest message that the peer takes; 0 when it did not say.</summary>
    public int PeerMaxMessageBytes { get; }

    public bool HasEnded => _hasEnded;

    public PeerConnectionEnd End { get; private set; }

    /// <summary>What the peer or the transport said at the end.</summary>
    public string EndReason { get; private set; } = "";

    /// <summary>Connects and shakes hands.</summary>
    /// <exception cref="PeerRefusedException">The peer answered that it does not take us.</exception>
    public static async Task<PeerConnection> OpenAsync(
        ITransport transport, string address, RemoteMessage greeting, EndpointWriterOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var channel = transport.CreateChannel(address, options);
        IClientCall? call = null;
        try
        {
            using var deadline = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                call = await channel.OpenAsync(Handshake.ReceiveMethod, Handshake.Frame(greeting), either.Token);
                var answer = await call.Responses.ReadAsync(either.Token)
                    ?? throw new PeerRefusedException($"{address} ended the handshake: {call.Status?.ToString() ?? "without a status"}");
                var response = Handshake.Parse(answer.Span).ConnectResponse
                    ?? throw new PeerRefusedException($"{address} answered the handshake with something else");
                if (response.Blocked) throw new PeerRefusedException($"{address} ({response.MemberId}) blocks this system");
                return new PeerConnection(channel, call, response);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"{address} did not answer within {options.ConnectTimeout.TotalMilliseconds:F0} ms (one that speaks Proto.Remote 0.x never does)");
            }
        }
        catch
        {
            call?.Dispose();
            channel.Dispose();
            throw;
        }
    }

    /// <summary>Hands frames to the transport. When this throws they may or may not have left.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> frames) => _call.WriteAsync(frames, _ended.Token);

    public Task FlushAsync() => _call.FlushAsync(_ended.Token);

    /// <summary>Reads until the stream ends, and says how it ended. Never throws.</summary>
    /// <param name="received">Gets the content of every batch (a member sends a client's messages here).</param>
    /// <param name="ended">Called once, after <see cref="HasEnded"/> is true.</param>
    public async Task ReadToEndAsync(Action<ReadOnlyMemory<byte>> received, Action ended)
    {
        try
        {
            while (await _call.Responses.ReadAsync(_ended.Token) is { } frame)
            {
                if (Handshake.TryGetBatch(frame.Span, out _))
                {
                    received(frame);
                }
                else if (Handshake.Parse(frame.Span).DisconnectRequest is not null)
                {
                    End = PeerConnectionEnd.PeerLeft;
                    EndReason = "it leaves";
                    return;
                }
            }

            if (_call.Status is { Code: not GrpcStatusCode.Ok } status)
            {
                End = PeerConnectionEnd.Refused;
                EndReason = status.ToString();
            }
            else
            {
                EndReason = "it ended the stream";
            }
        }
        catch (Exception broken)
        {
            EndReason = broken.Message;
        }
        finally
        {
            _call.Responses.Dispose();
            _hasEnded = true;
            ended();
            // A write that waits for the peer's window must not wait for ever.
            _ended.Cancel();
        }
    }

    /// <summary>Half-closes: the peer sees that nothing more comes.</summary>
    public void CompleteRequests() => _call.CompleteRequests();

    /// <summary>Ends the connection at once; a write or a read under way fails.</summary>
    public void Abort() => _ended.Cancel();

    public void Dispose()
    {
        _ended.Cancel();
        _call.Dispose();
        _channel.Dispose();
    }
}

/// <summary>The peer is there and does not want us.</summary>
sealed class PeerRefusedException(string message) : Exception(message);
