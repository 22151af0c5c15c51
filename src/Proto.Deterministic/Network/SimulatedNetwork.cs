using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>
/// The network between the systems of a world. Connections keep order and lose nothing while they last, as TCP does: a cut link holds bytes
/// back until it is mended, or until keep-alive gives the connection up. Nodes are called by the names that their systems were created with.
/// </summary>
public sealed class SimulatedNetwork
{
    const int FirstFreePort = 20_000;

    readonly DeterministicWorld _world;
    readonly Dictionary<(string From, string To), Link> _links = [];
    readonly Dictionary<string, Listener> _listeners = new(StringComparer.Ordinal);
    readonly List<Connection> _connections = [];
    readonly HashSet<string> _notReading = new(StringComparer.Ordinal);
    int _lastPort = FirstFreePort;
    long _lastConnection;

    internal SimulatedNetwork(DeterministicWorld world) => _world = world;

    /// <summary>Least time from node to node.</summary>
    public TimeSpan MinDelay { get; set; } = TimeSpan.FromMicroseconds(50);

    /// <summary>Greatest time from node to node; each packet draws its own, and packets of one connection do not overtake each other.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMicroseconds(500);

    /// <summary>Bytes that one direction of a connection holds before its writer waits for the reader.</summary>
    public int WindowBytes { get; set; } = 256 * 1024;

    /// <summary>Probability that a write arrives in two pieces.</summary>
    public double Fragmentation { get; set; } = 0.1;

    /// <summary>Nothing gets from one node to the other any more; the other direction is as it was.</summary>
    public void Cut(string from, string to)
    {
        var link = LinkBetween(from, to);
        if (link.IsCut) return;
        link.CutSince = _world.Now;
        foreach (var connection in _connections) connection.ExpectKeepAliveFailure(from, to);
    }

    /// <summary>The direction works again: what was held back arrives.</summary>
    public void Mend(string from, string to)
    {
        var link = LinkBetween(from, to);
        if (!link.IsCut) return;
        link.CutSince = null;
        foreach (var connection in _connections) connection.Mended(from, to);
    }

    /// <summary>Cuts both directions between the node and each of the others.</summary>
    public void Isolate(string node, params IEnumerable<string> others)
    {
        foreach (var other in others)
        {
            Cut(node, other);
            Cut(other, node);
        }
    }

    /// <summary>Every link works again at its ordinary speed, and every node reads.</summary>
    public void MendAll()
    {
        foreach (var ((from, to), link) in _links.ToArray())
        {
            link.ExtraDelay = TimeSpan.Zero;
            Mend(from, to);
        }

        foreach (var node in _notReading.ToArray()) ResumeReading(node);
    }

    /// <summary>Makes one direction slower.</summary>
    public void Slow(string from, string to, TimeSpan extraDelay) => LinkBetween(from, to).ExtraDelay = extraDelay;

    /// <summary>Breaks the connections between two nodes; new ones can be made at once.</summary>
    public void Reset(string a, string b)
    {
        foreach (var connection in _connections.ToArray())
        {
            if (connection.IsBetween(a, b)) connection.Break($"the connection between {connection.Client.Name} and {connection.Server.Name} was reset");
        }
    }

    /// <summary>The node takes nothing out of its connections any more, as a hanging process does; its peers' writes fill the windows.</summary>
    public void StopReading(string node) => _notReading.Add(node);

    public void ResumeReading(string node)
    {
        if (!_notReading.Remove(node)) return;
        foreach (var connection in _connections) connection.ReadAgain(node);
    }

    /// <summary>Bytes that one node has written to another and that were not read there yet, in all connections.</summary>
    public int BytesUnderWay(string from, string to) => _connections.Sum(connection => connection.BytesUnderWay(from, to));

    internal DeterministicWorld World => _world;

    internal bool IsReading(Node node) => _notReading.Count == 0 || !_notReading.Contains(node.Name);

    internal Link LinkBetween(string from, string to)
    {
        if (!_links.TryGetValue((from, to), out var link)) _links[(from, to)] = link = new Link(_world.RandomFor($"link/{from}>{to}"));
        return link;
    }

    internal TimeSpan DrawDelay(Link link) =>
        MinDelay + (MaxDelay - MinDelay) * link.Random.NextDouble() + link.ExtraDelay;

    internal Listener Listen(Node node, string host, int port, IReadOnlyDictionary<string, GrpcHandler> methods, int maxMessageBytes)
    {
        if (port == 0) port = ++_lastPort;
        // All interfaces: a node is known by its name.
        var address = $"{(host is "0.0.0.0" or "::" ? node.Name : host)}:{port}";
        if (_listeners.TryGetValue(address, out var other) && !other.Node.IsDead) throw new IOException($"{address} is in use");
        var listener = new Listener(this, node, address, port, methods, maxMessageBytes);
        _listeners[address] = listener;
        return listener;
    }

    internal void Forget(Listener listener)
    {
        if (_listeners.TryGetValue(listener.Address, out var present) && present == listener) _listeners.Remove(listener.Address);
    }

    /// <summary>Who listens at the address, or did until it died.</summary>
    internal Listener? ListenerAt(string address) => _listeners.GetValueOrDefault(address);

    internal Connection Connect(Node client, Node server, int maxMessageBytes, TimeSpan keepAlive)
    {
        var connection = new Connection(this, ++_lastConnection, client, server, maxMessageBytes, keepAlive);
        _connections.Add(connection);
        return connection;
    }

    internal void Forget(Connection connection) => _connections.Remove(connection);

    internal void Died(Node node, bool silently)
    {
        foreach (var connection in _connections.ToArray()) connection.PeerDied(node, silently);
    }

    internal void Paused(Node node)
    {
        foreach (var connection in _connections) connection.PeerPaused(node);
    }

    internal IEnumerable<string> OpenConnections() => _connections.Where(connection => connection.IsOpen).Select(connection => connection.ToString());
}
