using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Raft;
using ActorCluster.Simulation.Histories;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// A client: one operation at a time, against any node, over the same network. With a session it repeats a write until it
/// knows how it ended; without one it never repeats a write whose end is unknown.
/// </summary>
sealed class SimClient
{
    readonly GroupSimulation _simulation;
    readonly int _id;
    readonly Xoshiro256 _random;
    readonly bool _usesSessions;
    readonly Dictionary<GroupId, (ulong Id, ulong Sequence)> _sessions = [];
    int _left;
    int _node;
    int _attempt;
    ulong _operation;
    ClientRequest? _request;
    PendingOperation? _pending;

    public SimClient(GroupSimulation simulation, int id, int operations)
    {
        _simulation = simulation;
        _id = id;
        _random = simulation.World.RandomFor($"client{id}");
        _usesSessions = !_random.Chance(simulation.Options.ClientsWithoutSession);
        _left = operations;
        _node = _random.Next(simulation.Options.Nodes);
    }

    public bool IsDone => _left == 0 && _request is null;

    /// <summary>The scanner's latest read has ended.</summary>
    public bool IsScanned => _request is null;

    public override string ToString() => $"client {_id}: {_left} left, asking {_request}";

    public void Begin() => _simulation.World.After(_random.Next(200_000), Next);

    /// <summary>Reads a key through a given node, as an operation of its own (the final scan).</summary>
    public void Scan(string key, int node)
    {
        _left++;
        _node = node;
        Invoke(key, OperationKind.Get, null);
    }

    public void Receive(ClientReply reply)
    {
        if (_request is null || reply.Request.Operation != _operation) return;
        if (reply.Outcome == OperationOutcome.Ok)
        {
            Ended(reply);
            return;
        }

        // Only the latest attempt's refusal says something new.
        if (reply.Request.Attempt != _attempt) return;
        _node = _random.Next(_simulation.Options.Nodes);
        var canRepeat = _request.Kind == OperationKind.Get || _request.OpensSession || _request.Session != 0;
        if (canRepeat)
        {
            _simulation.World.After(_random.Next(1000, 50_000), Again(_attempt));
            return;
        }

        if (reply.Outcome == OperationOutcome.NotExecuted) _pending!.NotExecuted();
        else _pending!.Unknown();
        _simulation.Coverage.Count(reply.Outcome == OperationOutcome.NotExecuted ? "write ended NotExecuted" : "write ended Unknown");
        Rest();
    }

    void Next()
    {
        if (_left == 0) return;
        var number = _random.Next(_simulation.Options.Keys);
        var counter = _random.Chance(0.35);
        var key = (counter ? "c" : "k") + number.ToString(CultureInfo.InvariantCulture);
        var kind = _random.Next(10) switch
        {
            < 4 => OperationKind.Get,
            9 when !counter => OperationKind.Delete,
            _ => counter ? OperationKind.Add : OperationKind.Put,
        };
        var argument = kind switch
        {
            OperationKind.Put => string.Create(CultureInfo.InvariantCulture, $"{_id}.{_operation}"),
            OperationKind.Add => _random.Next(1, 1000).ToString(CultureInfo.InvariantCulture),
            _ => null,
        };
        // Any node serves any key: also one that is cut off and does not know it yet.
        if (_random.Chance(0.4)) _node = _random.Next(_simulation.Options.Nodes);
        Invoke(key, kind, argument);
    }

    void Invoke(string key, OperationKind kind, string? argument)
    {
        _operation++;
        _attempt = 0;
        var group = _simulation.GroupOf(key);
        if (kind != OperationKind.Get && _usesSessions && !_sessions.ContainsKey(group))
        {
            _request = new ClientRequest(_id, _operation, 0, group, key, kind, argument, OpensSession: true, 0, 0);
            Send();
            return;
        }

        InvokeWithSession(group, key, kind, argument);
    }

    void InvokeWithSession(GroupId group, string key, OperationKind kind, string? argument)
    {
        ulong session = 0, sequence = 0;
        if (kind != OperationKind.Get && _usesSessions)
        {
            (session, sequence) = _sessions[group];
            _sessions[group] = (session, ++sequence);
        }

        _request = new ClientRequest(_id, _operation, 0, group, key, kind, argument, OpensSession: false, session, sequence);
        _pending = _simulation.History.Invoke(_id, key, kind, argument);
        Send();
    }

    void Send()
    {
        var attempt = ++_attempt;
        var request = _request = _request! with { Attempt = attempt };
        if (attempt > 1) _simulation.Coverage.Count("request repeated");
        _simulation.Send(_id, _node, request);
        _simulation.World.After(_random.Next(300_000, 3_000_000), () =>
        {
            if (_request is null || _attempt != attempt || _request.Operation != request.Operation) return;
            Receive(new ClientReply(request, OperationOutcome.Unknown, null, 0));
        });
    }

    Action Again(int attempt)
    {
        var operation = _operation;
        return () =>
        {
            if (_request is not null && _operation == operation && _attempt == attempt) Send();
        };
    }

    void Ended(ClientReply reply)
    {
        if (_request!.OpensSession)
        {
            // A late answer to the request that opened the session is not one to the request that uses it.
            if (!reply.Request.OpensSession) return;
            var (group, key, kind, argument) = (_request.Group, _request.Key, _request.Kind, _request.Argument);
            _sessions[group] = (reply.OpenedSession, 0);
            _operation++;
            _attempt = 0;
            InvokeWithSession(group, key, kind, argument);
            return;
        }

        if (reply.Request.OpensSession) return;
        _pending!.Ok(reply.Result);
        Rest();
    }

    void Rest()
    {
        _request = null;
        _pending = null;
        _left--;
        if (_left > 0) _simulation.World.After(_random.Next(_simulation.Options.ThinkMicros), Next);
    }
}
