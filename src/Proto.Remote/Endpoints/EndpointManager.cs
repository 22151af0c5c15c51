using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>The endpoints of a system: outgoing by address, clients by their system id, and the streams that others opened.</summary>
sealed partial class EndpointManager(
    ActorSystem system, RemoteConfigBase config, ITransport transport, BlockList blockList, bool isClient)
{
    static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Long, because callers send their greeting at once, and may only be starved of processor time.</summary>
    static readonly TimeSpan GreetingTimeout = TimeSpan.FromSeconds(10);

    readonly ILogger _logger = system.LoggerFactory.CreateLogger<EndpointManager>();
    readonly ConcurrentDictionary<string, ServerEndpoint> _servers = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, ClientEndpoint> _clients = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, InboundStream> _inbound = new(StringComparer.Ordinal);
    readonly StreamGate _streamGate = new(system, config);
    readonly Lock _gate = new();
    volatile bool _stopping;

    public bool IsClient => isClient;

    public BlockList BlockList => blockList;

    public ITransport Transport => transport;

    public RemoteMetrics Metrics { get; } = new(system);

    /// <summary>The process behind a PID of another address; null when this is no address of anybody.</summary>
    public Process? Resolve(PID pid)
    {
        if (pid.Address.StartsWith(Handshake.ClientPrefix, StringComparison.Ordinal))
            return _clients.TryGetValue(pid.Address[Handshake.ClientPrefix.Length..], out var client) ? client.Process : null;
        return pid.Address.Contains(':', StringComparison.Ordinal) ? GetOrAdd(pid.Address)?.Process : null;
    }

    /// <summary>A local id of the form <c>$client/{system id}/{id}</c> stands for an actor of a client connected here.</summary>
    public Process? ResolveClient(string id)
    {
        if (!id.StartsWith(Handshake.ClientPrefix, StringComparison.Ordinal)) return null;
        var rest = id.AsSpan(Handshake.ClientPrefix.Length);
        var slash = rest.IndexOf('/');
        return slash > 0 && _clients.TryGetValue(rest[..slash].ToString(), out var client) ? client.Process : null;
    }

    public ServerEndpoint? GetOrAdd(string address)
    {
        if (_servers.TryGetValue(address, out var known)) return known;
        lock (_gate)
        {
            if (_stopping) return null;
            if (_servers.TryGetValue(address, out known)) return known;
            var added = new ServerEndpoint(system, this, config, address);
            _servers[address] = added;
            EndpointGauges.Add(this, system);
            return added;
        }
    }

    /// <summary>A message came too late for an endpoint that is being forgotten.</summary>
    public void SendAgain(ServerEndpoint forgotten, in OutgoingMessage message, bool priority)
    {
        Remove(forgotten);
        if (GetOrAdd(forgotten.Address) is not { } fresh || fresh == forgotten) DeadLetters.NotSent(system, message, "this system stops");
        else if (message.Message is SystemMessage systemMessage) fresh.SendSystem(message.Target, systemMessage);
        else fresh.Send(message, priority);
    }

    public void Remove(ServerEndpoint endpoint)
    {
        endpoint.Process.Retire();
        _servers.TryRemove(KeyValuePair.Create(endpoint.Address, endpoint));
    }

    /// <summary>
    /// An actor of the peer stopped. It names itself by the peer's own address; whoever watched it by another one (a name of the same host, an
    /// address that is forwarded) hears of it under that one.
    /// </summary>
    public void RemoteTerminated(string peerId, PID watcher, Terminated terminated)
    {
        foreach (var endpoint in EndpointsOf(peerId, terminated.Who.Address))
        {
            if (!endpoint.RemoveWatch(terminated.Who.Id, watcher)) continue;
            var who = PID.FromAddress(endpoint.Address, terminated.Who.Id);
            watcher.SendSystemMessage(system, new Terminated { Who = who, Why = terminated.Why });
        }
    }

    /// <summary>An actor of a client stopped.</summary>
    public void ClientTerminated(string clientId, PID watcher, Terminated terminated)
    {
        if (_clients.TryGetValue(clientId, out var client)) client.ActorTerminated(watcher, terminated);
    }

    /// <summary>Completes when all streams that the peer has opened to us have ended: it has said all that it has to say.</summary>
    public Task InboundEndedAsync(string peerId) => Task.WhenAll(
        InOrder(_inbound).Select(entry => entry.Value).Where(stream => string.Equals(stream.PeerId, peerId, StringComparison.Ordinal)).Select(stream => stream.End.OnThisContext()));

    /// <summary>How much waits for each address.</summary>
    public IEnumerable<(string Address, (int Messages, long Bytes) Load)> Loads()
    {
        foreach (var (address, endpoint) in _servers) yield return (address, endpoint.Load);
        foreach (var (id, client) in _clients) yield return (ClientEndpoint.AddressOf(id), client.Load);
    }

    /// <summary>All ways to the system: by its own address, and by others.</summary>
    List<ServerEndpoint> EndpointsOf(string peerId, string address)
    {
        var endpoints = new List<ServerEndpoint>();
        foreach (var (name, endpoint) in _servers)
        {
            if (string.Equals(name, address, StringComparison.Ordinal) || string.Equals(endpoint.PeerId, peerId, StringComparison.Ordinal)) endpoints.Add(endpoint);
        }

        endpoints.Sort(static (a, b) => string.CompareOrdinal(a.Address, b.Address));
        return endpoints;
    }

    /// <summary>What this system says first on a stream that it opens.</summary>
    /// <param name="dialedAddress">Whom it calls.</param>
    public RemoteMessage Greeting(string dialedAddress)
    {
        if (isClient)
        {
            // The member takes it that a frame may be so many times as large: no frame of its may be more than the reader here takes.
            var maxMessageBytes = Math.Min(config.EndpointWriterOptions.MaxMessageBytes, config.MaxReceivedFrameBytes / EndpointWriterOptions.FrameBytesPerMessageByte);
            var client = new ClientConnection { MemberId = system.Id, MaxMessageBytes = maxMessageBytes };
            return new RemoteMessage { ConnectRequest = new ConnectRequest { ClientConnection = client } };
        }

        var server = new ServerConnection { MemberId = system.Id, Address = system.Address, DialedAddress = dialedAddress };
        server.BlockList.AddRange(blockList.BlockedMembers.Order(StringComparer.Ordinal));
        return new RemoteMessage { ConnectRequest = new ConnectRequest { ServerConnection = server } };
    }

    /// <summary>Serves a stream that another system opened.</summary>
    public async Task AcceptAsync(IServerCall call)
    {
        var first = await FirstAsync(call) ?? throw new GrpcException(GrpcStatusCode.InvalidArgument, "the stream ended before its ConnectRequest");
        var greeting = Handshake.Parse(first.Span).ConnectRequest;
        switch (greeting?.ConnectionTypeCase)
        {
            case ConnectRequest.ConnectionTypeOneofCase.ServerConnection:
                await AcceptServerAsync(call, greeting.ServerConnection);
                break;
            case ConnectRequest.ConnectionTypeOneofCase.ClientConnection:
                await AcceptClientAsync(call, greeting.ClientConnection);
                break;
            default:
                throw new GrpcException(
                    GrpcStatusCode.InvalidArgument, "the first message of a stream must be a ConnectRequest (Proto.Remote 0.x sends none; this is 1.x)");
        }
    }

    /// <summary>A stream that says nothing must not stay: anybody could open more of them than there is memory.</summary>
    async Task<ReadOnlyMemory<byte>?> FirstAsync(IServerCall call)
    {
        using var deadline = new CancellationTokenSource(GreetingTimeout, system.Config.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, deadline.Token);
        try
        {
            return await call.Requests.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!call.Aborted.IsCancellationRequested)
        {
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, $"no ConnectRequest came within {GreetingTimeout.TotalSeconds} s");
        }
    }

    /// <summary>Ends all streams; always completes.</summary>
    public async Task StopAsync(bool graceful)
    {
        lock (_gate) _stopping = true;
        var ending = new List<Task>();
        foreach (var (address, endpoint) in InOrder(_servers)) ending.Add(EndAsync(address, endpoint.StopAsync(graceful)));
        foreach (var (id, client) in InOrder(_clients)) ending.Add(EndAsync(ClientEndpoint.AddressOf(id), client.StopAsync(graceful)));
        foreach (var (address, stream) in InOrder(_inbound)) ending.Add(EndAsync(address, stream.StopAsync(graceful)));
        try
        {
            await Task.WhenAll(ending).WaitAsync(ShutdownTimeout, system.Config.TimeProvider);
        }
        catch (TimeoutException)
        {
            LogSlowShutdown(_logger, ShutdownTimeout);
        }

        EndpointGauges.Remove(this);
    }

    /// <summary>One stream that cannot be ended in order must not keep the others from it.</summary>
    async Task EndAsync(string address, Task ending)
    {
        try
        {
            await ending;
        }
        catch (Exception failure)
        {
            LogEndFailed(_logger, failure, address);
        }
    }

    // The dictionary's own order differs between OS processes.
    static IEnumerable<KeyValuePair<string, T>> InOrder<T>(ConcurrentDictionary<string, T> entries) =>
        entries.OrderBy(entry => entry.Key, StringComparer.Ordinal);

    async Task AcceptServerAsync(IServerCall call, ServerConnection greeting)
    {
        if (greeting.MemberId.Length == 0 || greeting.Address.Length == 0)
            throw new GrpcException(GrpcStatusCode.InvalidArgument, "ServerConnection needs member_id and address");
        // The rest of the list is a rumour and blocks nobody.
        if (greeting.BlockList.Contains(system.Id)) return;
        _streamGate.Admit(new IncomingConnection(greeting.MemberId, greeting.Address, call.Caller, call.Certificate, call.Headers));
        if (!await AnswerAsync(call, greeting.MemberId)) return;

        var stream = new InboundStream(call, greeting.MemberId, new IncomingMessages(system, config, this, greeting.MemberId, greeting.Address, ""), system.Config.TimeProvider);
        var key = $"{greeting.Address} to {greeting.DialedAddress}";
        var former = Register(key, stream);
        foreach (var back in EndpointsOf(greeting.MemberId, greeting.Address)) back.PeerConnected();
        try
        {
            if (former is not null) await former.SupersedeAsync();
            if (_stopping) return;
            await stream.ReadToEndAsync();
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException)
        {
            LogInboundLost(_logger, greeting.Address, greeting.MemberId, broken.Message);
            // Its connection broke: has the peer died, or only the connection?
            if (!_stopping && !stream.IsStopping) GetOrAdd(greeting.Address)?.Probe();
        }
        catch (GrpcException malformed)
        {
            LogInboundRefused(_logger, greeting.Address, greeting.MemberId, malformed.Status);
            throw;
        }
        finally
        {
            _inbound.TryRemove(KeyValuePair.Create(key, stream));
            stream.Ended();
        }
    }

    /// <summary>A peer has one stream to us by each of our names: returns the one that this takes the place of.</summary>
    InboundStream? Register(string key, InboundStream stream)
    {
        lock (_gate)
        {
            _inbound.TryGetValue(key, out var former);
            _inbound[key] = stream;
            return former;
        }
    }

    async Task AcceptClientAsync(IServerCall call, ClientConnection greeting)
    {
        if (greeting.MemberId.Length == 0) throw new GrpcException(GrpcStatusCode.InvalidArgument, "ClientConnection needs member_id");
        var connection = new IncomingConnection(greeting.MemberId, null, call.Caller, call.Certificate, call.Headers);
        _streamGate.Admit(connection);
        if (!await AnswerAsync(call, greeting.MemberId)) return;

        var client = new ClientEndpoint(system, config, Metrics, call, greeting);
        var former = Register(client);
        try
        {
            // What the client's old stream still holds must not come after what the new one brings.
            if (former is not null) await former.StopAsync(graceful: false);
            if (_stopping) return;
            var prefix = ClientEndpoint.AddressOf(greeting.MemberId) + "/";
            await client.RunAsync(new IncomingMessages(system, config, this, greeting.MemberId, system.Address, prefix, (_streamGate, connection)));
        }
        catch (GrpcException malformed)
        {
            LogInboundRefused(_logger, ClientEndpoint.AddressOf(greeting.MemberId), greeting.MemberId, malformed.Status);
            throw;
        }
        finally
        {
            _clients.TryRemove(KeyValuePair.Create(greeting.MemberId, client));
            client.Ended();
        }
    }

    /// <summary>A client has one stream here: returns the one that this takes the place of.</summary>
    ClientEndpoint? Register(ClientEndpoint client)
    {
        lock (_gate)
        {
            _clients.TryGetValue(client.ClientId, out var former);
            _clients[client.ClientId] = client;
            EndpointGauges.Add(this, system);
            return former;
        }
    }

    /// <summary>False when the caller is blocked here, and has been told.</summary>
    async Task<bool> AnswerAsync(IServerCall call, string callerId)
    {
        var blocked = blockList.IsBlocked(callerId);
        var answer = new ConnectResponse { MemberId = system.Id, Blocked = blocked, MaxMessageBytes = config.EndpointWriterOptions.MaxMessageBytes };
        await call.WriteAsync(Handshake.Frame(new RemoteMessage { ConnectResponse = answer }), call.Aborted);
        return !blocked;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The stream from {Address} ({PeerId}) broke: {Reason}")]
    static partial void LogInboundLost(ILogger logger, string address, string peerId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stream from {Address} ({PeerId}) was ended: {Status}")]
    static partial void LogInboundRefused(ILogger logger, string address, string peerId, GrpcStatus status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A stream of {Address} did not end in order")]
    static partial void LogEndFailed(ILogger logger, Exception failure, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Some streams did not end within {Timeout}")]
    static partial void LogSlowShutdown(ILogger logger, TimeSpan timeout);
}
