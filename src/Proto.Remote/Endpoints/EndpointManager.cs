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
            return added;
        }
    }

    /// <summary>A message came too late for an endpoint that is being forgotten.</summary>
    public void SendAgain(ServerEndpoint forgotten, in OutgoingMessage message)
    {
        Remove(forgotten);
        if (GetOrAdd(forgotten.Address) is { } fresh && fresh != forgotten) fresh.Send(message);
        else DeadLetters.NotSent(system, message);
    }

    public void Remove(ServerEndpoint endpoint)
    {
        endpoint.Process.Retire();
        _servers.TryRemove(KeyValuePair.Create(endpoint.Address, endpoint));
    }

    public void RemoteTerminated(PID watcher, Terminated terminated)
    {
        if (_servers.TryGetValue(terminated.Who.Address, out var endpoint) && endpoint.RemoveWatch(terminated.Who.Id, watcher))
            watcher.SendSystemMessage(system, terminated);
    }

    /// <summary>What this system says first on a stream that it opens.</summary>
    public RemoteMessage Greeting()
    {
        if (isClient)
            return new RemoteMessage { ConnectRequest = new ConnectRequest { ClientConnection = new ClientConnection { MemberId = system.Id } } };
        var server = new ServerConnection { MemberId = system.Id, Address = system.Address };
        server.BlockList.AddRange(blockList.BlockedMembers.Order(StringComparer.Ordinal));
        return new RemoteMessage { ConnectRequest = new ConnectRequest { ServerConnection = server } };
    }

    /// <summary>Serves a stream that another system opened.</summary>
    public async Task AcceptAsync(IServerCall call)
    {
        var first = await call.Requests.ReadAsync(call.Aborted)
            ?? throw new GrpcException(GrpcStatusCode.InvalidArgument, "the stream ended before its ConnectRequest");
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

    /// <summary>Ends all streams; always completes.</summary>
    public async Task StopAsync(bool graceful)
    {
        lock (_gate) _stopping = true;
        var ending = new List<Task>();
        foreach (var (_, endpoint) in InOrder(_servers)) ending.Add(endpoint.StopAsync(graceful));
        foreach (var (_, client) in InOrder(_clients)) ending.Add(client.StopAsync(graceful));
        foreach (var (_, stream) in InOrder(_inbound)) ending.Add(stream.StopAsync(graceful));
        try
        {
            await Task.WhenAll(ending).WaitAsync(ShutdownTimeout, system.Config.TimeProvider);
        }
        catch (TimeoutException)
        {
            LogSlowShutdown(_logger, ShutdownTimeout);
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

        var stream = new InboundStream(call, new IncomingMessages(system, config, this, greeting.Address, ""), system.Config.TimeProvider);
        var former = Register(greeting.Address, stream);
        if (_servers.TryGetValue(greeting.Address, out var back)) back.Probe();
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
            _inbound.TryRemove(KeyValuePair.Create(greeting.Address, stream));
            stream.Ended();
        }
    }

    /// <summary>A peer has one stream to us: returns the one that this takes the place of.</summary>
    InboundStream? Register(string address, InboundStream stream)
    {
        lock (_gate)
        {
            _inbound.TryGetValue(address, out var former);
            _inbound[address] = stream;
            return former;
        }
    }

    async Task AcceptClientAsync(IServerCall call, ClientConnection greeting)
    {
        if (greeting.MemberId.Length == 0) throw new GrpcException(GrpcStatusCode.InvalidArgument, "ClientConnection needs member_id");
        var connection = new IncomingConnection(greeting.MemberId, null, call.Caller, call.Certificate, call.Headers);
        _streamGate.Admit(connection);
        if (!await AnswerAsync(call, greeting.MemberId)) return;

        var client = new ClientEndpoint(system, config, call, greeting.MemberId);
        var former = Register(client);
        try
        {
            // What the client's old stream still holds must not come after what the new one brings.
            if (former is not null) await former.StopAsync(graceful: false);
            if (_stopping) return;
            var prefix = ClientEndpoint.AddressOf(greeting.MemberId) + "/";
            await client.RunAsync(new IncomingMessages(system, config, this, system.Address, prefix, (_streamGate, connection)));
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
            return former;
        }
    }

    /// <summary>False when the caller is blocked here, and has been told.</summary>
    async Task<bool> AnswerAsync(IServerCall call, string callerId)
    {
        var blocked = blockList.IsBlocked(callerId);
        var answer = new RemoteMessage { ConnectResponse = new ConnectResponse { MemberId = system.Id, Blocked = blocked } };
        await call.WriteAsync(Handshake.Frame(answer), call.Aborted);
        return !blocked;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The stream from {Address} ({PeerId}) broke: {Reason}")]
    static partial void LogInboundLost(ILogger logger, string address, string peerId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stream from {Address} ({PeerId}) was ended: {Status}")]
    static partial void LogInboundRefused(ILogger logger, string address, string peerId, GrpcStatus status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Some streams did not end within {Timeout}")]
    static partial void LogSlowShutdown(ILogger logger, TimeSpan timeout);
}
