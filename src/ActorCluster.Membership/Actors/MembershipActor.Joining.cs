using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using Google.Protobuf;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Membership.Actors;

/// <summary>How the node comes to belong to a cluster, and how it leaves it.</summary>
sealed partial class MembershipActor
{
    const long AskToJoinEveryMs = 500;

    string? _joinAddress;
    string? _joinProblem;
    long _nextAsk;

    void Act(IContext context, IReadOnlyList<FormingOutput> outputs)
    {
        var todo = new Queue<FormingOutput>(outputs);
        while (todo.TryDequeue(out var output))
        {
            switch (output)
            {
                case SendForming send:
                    context.Send(PID.FromAddress(send.Address, Name), send.Message);
                    break;
                case PersistForming persist:
                    _store.SaveForming(persist.State.ToByteArray());
                    foreach (var next in _forming.Persisted(persist.Token, _clock.NowMs)) todo.Enqueue(next);
                    break;
                case ClusterFormed formed:
                    BeFirstMember(context, formed.Cluster);
                    break;
                case ClusterFound found:
                    if (_joinAddress is null) _service.LogClusterFound(found.ClusterId, found.Address);
                    _joinAddress = found.Address;
                    break;
                case FormingRefused refused:
                    _service.LogRefused(refused.Message);
                    break;
            }
        }
    }

    void BeFirstMember(IContext context, FormedCluster cluster)
    {
        _store.SetClusterId(cluster.ClusterId);
        _joinAddress = null;
        Belong(cluster.ClusterId);
        foreach (var member in cluster.Members) _service.Directory.Learn(member);
        _service.Directory.Learn(_self);
        if (cluster.CoordinatorVoters.Contains(_self.Uid)) _coordinator.Start(context, cluster, _forming.CoordinatorRan);
    }

    void Belong(string clusterId)
    {
        _table.BelongTo(clusterId);
        _service.BelongsTo(clusterId);
    }

    // --- this node asks

    void AskToJoin(IContext context, long now)
    {
        if (_joinAddress is null || now < _nextAsk) return;
        var address = _table.View > 0 ? AnyMember() ?? _joinAddress : _joinAddress; // a member of before asks anybody it knows
        _nextAsk = now + AskToJoinEveryMs;
        context.Request(PID.FromAddress(address, Name), new JoinRequest { Node = _self, ClusterId = _table.ClusterId }, context.Self);
    }

    void OnJoinReply(IContext context, JoinReply reply)
    {
        if (_joinAddress is null) return;
        if (reply.Failure is { } failure)
        {
            if (_joinProblem != failure.Message) _service.LogJoinRefused(_joinAddress, failure.Message);
            _joinProblem = failure.Message;
            return;
        }

        if (reply.ClusterId.Length == 0 || reply.View is null) return;
        _joinAddress = null;
        _joinProblem = null;
        if (reply.Formed is { } formed && formed.Members.Any(m => m.Uid == _self.Uid) && _store.ClusterId.Length == 0) Act(context, _forming.Adopt(formed));
        _store.SetClusterId(reply.ClusterId);
        _forming.Joined(reply.ClusterId);
        Belong(reply.ClusterId);
        _table.ApplySnapshot(reply.View);
        foreach (var observation in reply.Observations) _table.Merge(observation);
    }

    /// <summary>
    /// The cluster removed this node while it lives: it is fenced by its old incarnation, takes a new one, and asks to join
    /// again (guarantee G8). Unless it asked to go.
    /// </summary>
    void RejoinIfRemoved()
    {
        if (_leaving || _stop is not null || _table.View == 0) return;
        var record = _table.Find(_table.Self);
        if (record is { State: not MemberState.Removed }) return;
        if (record is null || record.Incarnation < _self.Incarnation)
        {
            _joinAddress ??= AnyMember(); // this incarnation is not refused: it has only to ask
            return;
        }

        _self = _self.Clone();
        _self.Incarnation = _store.RaiseIncarnation();
        _service.LogRemoved(record.Evidence, _self.Incarnation);
        _service.Publish(new RejoiningAfterRemoval(record.Evidence, record.Incarnation, _self.Incarnation));
        _service.Incarnation = _self.Incarnation;
        _gossip.SetSelf(_self);
        _table.SetSelf(_self);
        _joinAddress = AnyMember();
    }

    string? AnyMember()
    {
        var others = _table.Members.Where(m => m.Uid != _table.Self && m.IsActive).ToArray();
        return others.Length == 0 ? null : others[_random.Next(others.Length)].Address;
    }

    // --- this node is asked

    void OnJoinRequest(IContext context, JoinRequest join)
    {
        if (context.Sender is not { } asker) return;
        if (_table.ClusterId.Length == 0)
        {
            context.Respond(new JoinReply { Failure = Refusal(ErrorCode.NotAMember, $"{_self.Name} belongs to no cluster itself") });
        }
        else if (join.ClusterId.Length > 0 && !string.Equals(join.ClusterId, _table.ClusterId, StringComparison.Ordinal))
        {
            var mismatch = new ClusterMismatch(_table.ClusterId, join.ClusterId);
            _service.Publish(mismatch);
            context.Respond(new JoinReply { Failure = Refusal(ErrorCode.Conflict, $"{join.Node.Name} belongs to cluster '{join.ClusterId}', this is cluster '{_table.ClusterId}'") });
        }
        else if (_coordinator.IsLeader)
        {
            _coordinator.Join(context, join.Node, asker, _table, uid => _gossip.HeardWithin(uid, _clock.NowMs, CoordinatorDriver.ContactMs));
        }
        else if (LeaderOrVoter() is { } next && !join.Forwarded)
        {
            var forwarded = join.Clone();
            forwarded.Forwarded = _coordinator.IsVoter(_table);
            context.Request(PID.FromAddress(next, Name), forwarded, asker);
        }
        else
        {
            context.Respond(new JoinReply { Failure = Refusal(ErrorCode.NoQuorum, "the coordinator group has no leader at the moment: it needs a majority of its voters") });
        }
    }

    void OnLeaveRequest(IContext context, LeaveRequest leave)
    {
        if (context.Sender is not { } asker) return;
        if (leave.Uid == _self.Uid) _leaving = true;
        if (_coordinator.IsLeader)
        {
            _coordinator.Leave(context, new NodeUid(leave.Uid), asker, _table);
        }
        else if (LeaderOrVoter() is { } next && !leave.Forwarded)
        {
            context.Request(PID.FromAddress(next, Name), new LeaveRequest { Uid = leave.Uid, Forwarded = _coordinator.IsVoter(_table) }, asker);
        }
        else
        {
            context.Respond(new LeaveReply { Failure = Refusal(ErrorCode.NoQuorum, "the coordinator group has no leader at the moment: it needs a majority of its voters") });
        }
    }

    /// <summary>Where the coordinator's leader is, as a voter knows it; otherwise some voter that can be reached.</summary>
    string? LeaderOrVoter()
    {
        if (_coordinator.IsVoter(_table))
            return _coordinator.Leader is { IsNone: false } leader && leader != _table.Self ? _service.Directory.AddressOf(leader) : null;
        var voters = _table.Snapshot.CoordinatorVoters.Where(v => v != _table.Self && _table.Find(v) is { State: not (MemberState.Unreachable or MemberState.Removed) }).ToArray();
        return voters.Length == 0 ? null : _service.Directory.AddressOf(voters[_random.Next(voters.Length)]);
    }

    internal static Failure Refusal(ErrorCode code, string message) => new() { Outcome = OutcomeKind.NotExecuted, Code = code, Message = message };
}
