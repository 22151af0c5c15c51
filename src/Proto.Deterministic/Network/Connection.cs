using System.Net.Sockets;
using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>A connection with one call on it, between two nodes.</summary>
sealed class Connection
{
    readonly SimulatedNetwork _network;
    readonly TimeSpan _keepAlive;
    readonly Wire _toServer;
    readonly Wire _toClient;
    bool _accepted;

    public Connection(SimulatedNetwork network, long number, Node client, Node server, int maxMessageBytes, TimeSpan keepAlive)
    {
        _network = network;
        _keepAlive = keepAlive;
        Client = client;
        Server = server;
        Name = $"{client.Name}>{server.Name}/{number}";
        _toServer = new Wire(network, client, server);
        _toClient = new Wire(network, server, client);
        ClientEnd = new ClientEnd(this, network, client, _toServer, maxMessageBytes);
        ServerEnd = new ServerEnd(this, network, server, _toClient, maxMessageBytes);
        ClientEnd.Peer = ServerEnd;
        ServerEnd.Peer = ClientEnd;
    }

    public string Name { get; }

    public Node Client { get; }

    public Node Server { get; }

    public ClientEnd ClientEnd { get; }

    public ServerEnd ServerEnd { get; }

    public bool IsOpen => !(IsGone(ClientEnd) && (!_accepted || IsGone(ServerEnd)));

    public static HttpRequestException RefusedBy(string address) =>
        new($"connection refused ({address})", new SocketException((int)SocketError.ConnectionRefused));

    /// <summary>Calls the server; completes when it has answered.</summary>
    public async Task<IClientCall> OpenAsync(string address, string method, byte[] firstFrames, CancellationToken cancellationToken)
    {
        ClientEnd.Account(firstFrames.Length);
        _toServer.PutUrgent(() => Arrived(address, method, firstFrames));
        await ClientEnd.Opened.WaitAsync(cancellationToken);
        return ClientEnd;
    }

    public void EndOver()
    {
        if (!IsOpen) _network.Forget(this);
    }

    public bool IsBetween(string a, string b) => _toServer.Is(a, b) || _toServer.Is(b, a);

    /// <summary>Both ends lose the connection at once.</summary>
    public void Break(string reason)
    {
        BreakEnd(ClientEnd, reason);
        BreakEnd(ServerEnd, reason);
    }

    public void Mended(string from, string to)
    {
        if (_toServer.Is(from, to)) _toServer.Mended();
        if (_toClient.Is(from, to)) _toClient.Mended();
    }

    public void ReadAgain(string node)
    {
        if (string.Equals(Client.Name, node, StringComparison.Ordinal)) ClientEnd.ReadAgain();
        if (string.Equals(Server.Name, node, StringComparison.Ordinal)) ServerEnd.ReadAgain();
    }

    /// <summary>A direction was cut: pings of both ends go unanswered, and each gives up when its time is over.</summary>
    public void ExpectKeepAliveFailure(string from, string to)
    {
        if (!_toServer.Is(from, to) && !_toClient.Is(from, to)) return;
        CheckKeepAliveLater(ClientEnd);
        CheckKeepAliveLater(ServerEnd);
    }

    public void PeerDied(Node node, bool silently)
    {
        if (node != Client && node != Server) return;
        ConnectionEnd left = node == Client ? ServerEnd : ClientEnd;
        var towards = node == Client ? _toServer : _toClient;
        CheckKeepAliveLater(left);
        if (!silently) towards.PutUrgent(() => BreakEnd(left, $"{node.Name} closed the connection"));
        if (!IsOpen) _network.Forget(this);
    }

    /// <summary>A paused process answers no pings.</summary>
    public void PeerPaused(Node node)
    {
        if (node == Client) CheckKeepAliveLater(ServerEnd);
        if (node == Server) CheckKeepAliveLater(ClientEnd);
    }

    public int BytesUnderWay(string from, string to) =>
        _toServer.Is(from, to) ? ClientEnd.BytesUnderWay : _toClient.Is(from, to) ? ServerEnd.BytesUnderWay : 0;

    public override string ToString() => $"connection {Name}: client {StateOf(ClientEnd)}, server {StateOf(ServerEnd)}";

    static bool IsGone(ConnectionEnd end) => end.IsOver || end.Node.IsDead;

    static string StateOf(ConnectionEnd end) => IsGone(end) ? "gone" : end.Broken is { } broken ? $"broken ({broken.Message})" : "open";

    /// <summary>The call has reached the host.</summary>
    void Arrived(string address, string method, byte[] firstFrames)
    {
        if (ClientEnd.Broken is not null) return;
        if (_network.ListenerAt(address) is not { } listener || listener.Node != Server)
        {
            _toClient.PutUrgent(() => ClientEnd.Refuse(RefusedBy(address)));
            return;
        }

        _accepted = true;
        ServerEnd.Receive(firstFrames);
        listener.Accept(ServerEnd, method);
    }

    void CheckKeepAliveLater(ConnectionEnd end) => _network.World.After(
        _keepAlive + _keepAlive / 20 * _toServer.Link.Random.NextDouble(),
        new WorkItem(end.Node, "keepalive", Name, _ => CheckKeepAlive(end), null));

    void CheckKeepAlive(ConnectionEnd end)
    {
        if (end.IsOver || end.Broken is not null) return;
        var peer = end.Peer;
        if (peer.Node.IsDead || peer.Broken is not null || IsLong(peer.Node.PausedSince) || IsLong(_toServer.Link.CutSince) || IsLong(_toClient.Link.CutSince))
            end.Reset("the peer did not answer a keep-alive ping in time");
    }

    bool IsLong(TimeSpan? silentSince) => silentSince is { } since && _network.World.Now - since >= _keepAlive;

    static void BreakEnd(ConnectionEnd end, string reason)
    {
        if (!end.Node.IsDead) end.Break(new IOException(reason));
    }
}
