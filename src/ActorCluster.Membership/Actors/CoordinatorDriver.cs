using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using Google.Protobuf;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// The node's part in the coordinator group: starts its replica when the node is or becomes a voter and, while it leads, proposes what
/// <see cref="CoordinatorPolicy"/> says and keeps the group's members as decided. Used by the membership actor only, in its mailbox.
/// </summary>
sealed class CoordinatorDriver(MembershipService service, StartCoordinatorGroup startGroup, IReadOnlyList<ICoordinatorPart> parts, CoordinatorPolicyOptions options, TimeProvider time)
{
    /// <summary>The leader is in contact with whom it heard within this time.</summary>
    public const long ContactMs = 2000;

    const long DecideEveryMs = 100;

    /// <summary>Most nodes that wait for their removal to be answered.</summary>
    const int MaxLeavers = 256;

    static readonly TimeSpan ProposalDeadline = TimeSpan.FromSeconds(5);

    readonly CoordinatorPolicy _policy = new(options);
    readonly Dictionary<NodeUid, PID> _leavers = [];
    IReplicaGroup? _group;
    CoordinatorStateMachine? _machine;
    FormedCluster? _cluster;
    bool _led;
    bool _changingVoters;
    bool _votersAreSettled;
    int _proposing;
    long _nextDecision;

    /// <summary>Whether the replica here, if there is one, is of the group as it is now. One that votes no more hears nothing of it.</summary>
    public bool IsVoter(MemberTable table) => _group is not null && (table.View == 0 || table.Snapshot.CoordinatorVoters.Contains(table.Self));

    public bool IsLeader => _group?.Status is { Role: RaftRole.Leader, LeaderReady: true };

    public NodeUid Leader => _group?.Status.Leader ?? NodeUid.None;

    /// <summary>The cluster was formed with this node as a voter.</summary>
    public void Start(IContext context, FormedCluster cluster, bool ranBefore)
    {
        _cluster = cluster;
        Start(context, [.. cluster.CoordinatorVoters.Select(v => new NodeUid(v))], ranBefore);
    }

    /// <summary>
    /// The node belongs to a cluster already: a voter's replica must run before anything is known of the members, because without a
    /// majority of the voters nothing can be.
    /// </summary>
    public void Resume(IContext context) => Start(context, [], ranBefore: false);

    void Start(IContext context, IReadOnlyList<NodeUid> firstVoters, bool ranBefore)
    {
        if (_group is not null) return;
        var root = context.System.Root;
        var self = context.Self;
        var machine = new CoordinatorStateMachine(parts, view => root.Send(self, new ViewApplied(view)));
        if (startGroup(machine, firstVoters, ranBefore) is not { } group) return;
        _machine = machine;
        _group = group;
        service.Coordinator = group;
    }

    /// <summary>Follows the decided voters: becomes one, or lets the replica stand still when the group has committed itself without it.</summary>
    void FollowVoters(IContext context, MemberTable table)
    {
        if (table.View == 0) return;
        var voters = table.Snapshot.CoordinatorVoters;
        if (voters.Contains(table.Self))
        {
            Start(context, VotersBefore(table, voters), ranBefore: false);
            _group?.Resume();
        }
        else if (_group is { IsRetired: false } group && !group.Status.IsNeeded)
        {
            group.Retire();
        }
    }

    /// <summary>
    /// What a new replica takes for the voters until it has the group's log: anybody but itself, so that it decides nothing. When it is to be
    /// the only voter, those are members that are known, be they removed.
    /// </summary>
    static List<NodeUid> VotersBefore(MemberTable table, IReadOnlyCollection<NodeUid> voters)
    {
        var others = voters.Where(v => v != table.Self).ToList();
        return others.Count > 0 ? others : [.. table.Snapshot.Members.Keys.Where(m => m != table.Self).Take(CoordinatorPolicy.MaxVoters)];
    }

    /// <summary>Leader: brings the group's members to what is decided, then decides whether others should vote.</summary>
    void KeepVoters(IContext context, MemberTable table, Func<NodeUid, bool> inContact)
    {
        var voters = table.Snapshot.CoordinatorVoters;
        if (!_changingVoters && !voters.IsEmpty)
        {
            _changingVoters = true;
            context.ReenterAfter(_group!.ChangeMembersAsync(voters, []), task =>
            {
                _changingVoters = false;
                var isOfNow = table.Snapshot.CoordinatorVoters.SequenceEqual(voters); // an answer about an older decision says nothing
                _votersAreSettled = isOfNow && task.IsCompletedSuccessfully && task.Result == MembershipChange.Done;
            });
        }

        // One change at a time; only what waits for a node that is gone for good is given up for another.
        var isStuck = voters.Any(v => table.Find(v) is null or { State: MemberState.Removed });
        if ((_votersAreSettled || isStuck) && CoordinatorPolicy.Voters(table.Committed, table.Snapshot, inContact) is { } command)
        {
            _votersAreSettled = false;
            Propose(context, command, null);
        }
    }

    public void Tick(IContext context, long now, MemberTable table, Func<NodeUid, bool> inContact)
    {
        AnswerLeavers(context, table);
        FollowVoters(context, table);
        var leads = IsLeader;
        if (leads != _led)
        {
            _policy.Reset(now);
            _votersAreSettled = false;
        }

        _led = leads;
        if (!leads || _proposing > 0 || now < _nextDecision) return;

        _nextDecision = now + DecideEveryMs;
        if (_machine!.Formed is null)
        {
            Propose(context, new CoordinatorCommand { Form = _cluster }, null);
            return;
        }

        foreach (var command in _policy.Decide(now, table.Committed, table.Snapshot, inContact)) Propose(context, command, null);
        KeepVoters(context, table, inContact);
    }

    public void Join(IContext context, NodeInfo node, PID asker, MemberTable table, Func<NodeUid, bool> inContact)
    {
        if (_machine!.Formed is null)
        {
            context.Send(asker, new JoinReply { Failure = MembershipActor.Refusal(ErrorCode.NoQuorum, "the cluster is being formed: ask again in a moment") });
            return;
        }

        // Refused here as well as when applied: a node that keeps asking must not fill the log.
        var command = CoordinatorPolicy.Join(node, table.Committed, table.Snapshot, inContact);
        if (MemberRules.FindConflict(table.Committed.Members, node, command.Join.Replaces) is { } conflict)
        {
            service.Publish(conflict);
            context.Send(asker, new JoinReply { Failure = MembershipActor.Refusal(ErrorCode.Conflict, conflict.Reason) });
            return;
        }

        Propose(context, command, (_, failure) =>
        {
            if (failure is not null)
            {
                context.Send(asker, new JoinReply { Failure = failure });
                return;
            }

            var reply = new JoinReply { ClusterId = _machine.View.ClusterId, View = _machine.View };
            reply.Observations.Add(table.AllObservations);
            if (_machine.Formed.Members.Any(m => m.Uid == node.Uid)) reply.Formed = _machine.Formed;
            context.Send(asker, reply);
        });
    }

    public void Leave(IContext context, NodeUid uid, PID asker, MemberTable table)
    {
        if (table.Find(uid) is { State: MemberState.Removed } gone)
        {
            context.Send(asker, new LeaveReply { View = gone.View });
            return;
        }

        if (_leavers.Count >= MaxLeavers)
        {
            context.Send(asker, new LeaveReply { Failure = MembershipActor.Refusal(ErrorCode.Overloaded, $"more than {MaxLeavers} nodes are leaving") });
            return;
        }

        Propose(context, new CoordinatorCommand { ClusterId = table.ClusterId, Leave = new LeaveDecision { Uid = uid.Value } }, (_, failure) =>
        {
            if (failure is not null) context.Send(asker, new LeaveReply { Failure = failure });
            else _leavers[uid] = asker;
        });
    }

    void AnswerLeavers(IContext context, MemberTable table)
    {
        foreach (var (uid, asker) in _leavers.ToArray())
        {
            if (table.Find(uid) is { State: not MemberState.Removed }) continue;
            _leavers.Remove(uid);
            context.Send(asker, new LeaveReply { View = table.View });
        }
    }

    void Propose(IContext context, CoordinatorCommand command, Action<CoordinatorResult?, Failure?>? done)
    {
        _proposing++;
        var deadline = new CancellationTokenSource(ProposalDeadline, time);
        context.ReenterAfter(_group!.ProposeAsync(command.ToByteString(), deadline.Token), task =>
        {
            _proposing--;
            deadline.Dispose();
            if (task.IsFaulted)
            {
                service.Fail(task.Exception);
                return;
            }

            if (task.IsCanceled)
            {
                done?.Invoke(null, new Failure { Outcome = OutcomeKind.Unknown, Code = ErrorCode.DeadlineExceeded, Message = $"no decision within {ProposalDeadline.TotalSeconds} s" });
                return;
            }

            var proposal = task.Result;
            if (proposal.Outcome != ProposalOutcome.Committed)
            {
                var outcome = proposal.Outcome == ProposalOutcome.NotExecuted ? OutcomeKind.NotExecuted : OutcomeKind.Unknown;
                done?.Invoke(null, new Failure { Outcome = outcome, Code = proposal.Error, Message = proposal.Message });
                return;
            }

            var result = (CoordinatorResult)proposal.Value!;
            if (result.Refusal is not null) service.Publish(result.Refusal);
            done?.Invoke(result, result.Ok ? null : MembershipActor.Refusal(result.Error, result.Message));
        });
    }
}
