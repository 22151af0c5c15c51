using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>What one side of a connection sees of it.</summary>
abstract class ConnectionEnd
{
    readonly SimulatedNetwork _network;
    readonly Node _node;
    readonly Wire _out;
    readonly Link _link;
    readonly ByteQueue _received;
    TaskCompletionSource? _room;
    int _window;
    int _notCredited;

    protected ConnectionEnd(SimulatedNetwork network, Node node, Wire outgoing, int maxMessageBytes)
    {
        _network = network;
        _node = node;
        _out = outgoing;
        _link = outgoing.Link;
        _window = network.WindowBytes;
        _received = new ByteQueue(() => network.IsReading(node), Consumed);
        Frames = new GrpcFrameReader(_received, maxMessageBytes);
    }

    /// <summary>The other side; set once, when both exist.</summary>
    public ConnectionEnd Peer { get; set; } = null!;

    public Node Node => _node;

    /// <summary>Written here and not read at the peer yet.</summary>
    public int BytesUnderWay { get; private set; }

    /// <summary>Why nothing goes through any more; null while it does.</summary>
    public Exception? Broken { get; private set; }

    /// <summary>Nobody uses this side any more.</summary>
    public bool IsOver { get; protected set; }

    protected GrpcFrameReader Frames { get; }

    /// <summary>Why this side may not write; null: it may.</summary>
    protected abstract string? WriteRefusal { get; }

    protected DeterministicWorld World => _network.World;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Broken is { } broken) throw new IOException(broken.Message, broken);
            if (WriteRefusal is { } refusal) throw new IOException(refusal);
            if (_window > 0) break;
            _room ??= new TaskCompletionSource();
            await _room.Task.WaitAsync(cancellationToken);
        }

        Account(frames.Length);
        var bytes = frames.ToArray();
        if (bytes.Length > 1 && _link.Random.Chance(_network.Fragmentation))
        {
            var cut = _link.Random.Next(1, bytes.Length);
            Send(bytes.AsMemory(0, cut));
            Send(bytes.AsMemory(cut));
        }
        else
        {
            Send(bytes);
        }
    }

    /// <summary>Takes written bytes off the window. A write larger than the rest passes it as a whole: the next one waits the longer.</summary>
    public void Account(int bytes)
    {
        _window -= bytes;
        BytesUnderWay += bytes;
    }

    public void Receive(ReadOnlyMemory<byte> bytes)
    {
        _network.World.Record(_node, "bytes", $"{Peer.Node.Name}>{_node.Name}", $"{bytes.Length}", StableHash.Of(bytes.Span));
        _received.Add(bytes);
    }

    public virtual void Break(Exception reason)
    {
        if (Broken is not null) return;
        Broken = reason;
        _received.Break(reason);
        WakeWriter();
    }

    public void ReadAgain() => _received.Wake();

    /// <summary>Ends the connection here at once; the peer learns of it when the word arrives: after what was written before, or in its place.</summary>
    public void Reset(string reason)
    {
        Break(new IOException(reason));
        var peer = Peer;
        void Arrive() => peer.Break(new IOException("the peer reset the connection"));
        if (_link.Random.Chance(0.5))
        {
            _out.Put(Arrive);
        }
        else
        {
            _out.Close();
            _out.PutUrgent(Arrive);
        }
    }

    /// <summary>Sends to the peer; one that has lost the connection already answers with a reset.</summary>
    protected void Put(Action arrive)
    {
        var peer = Peer;
        _out.Put(() =>
        {
            if (peer.Broken is null) arrive();
            else peer._out.PutUrgent(() => Break(new IOException("the peer does not know the connection")));
        });
    }

    protected void EndReceived() => _received.End();

    protected void WakeWriter()
    {
        var room = _room;
        _room = null;
        room?.TrySetResult();
    }

    protected abstract void Arrived();

    void Send(ReadOnlyMemory<byte> bytes)
    {
        var peer = Peer;
        Put(() =>
        {
            peer.Arrived();
            peer.Receive(bytes);
        });
    }

    void Consumed(int bytes)
    {
        Peer.BytesUnderWay -= bytes;
        _notCredited += bytes;
        if (_notCredited < _network.WindowBytes / 2) return;
        var credit = _notCredited;
        _notCredited = 0;
        var peer = Peer;
        Put(() => peer.Credit(credit));
    }

    void Credit(int bytes)
    {
        _window += bytes;
        WakeWriter();
    }
}
