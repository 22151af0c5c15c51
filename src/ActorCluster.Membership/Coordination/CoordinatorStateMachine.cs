using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using Google.Protobuf;

namespace ActorCluster.Membership;

/// <summary>
/// What the coordinator group replicates: who is a member, and the parts that others registered. A pure function of its
/// log; every command that changes something raises the view number by exactly one.
/// </summary>
public sealed class CoordinatorStateMachine : IStateMachine
{
    readonly SortedDictionary<ulong, MemberRecord> _records = [];
    readonly SortedDictionary<string, ICoordinatorPart> _parts = new(StringComparer.Ordinal);
    readonly Action<CommittedView>? _published;
    FormedCluster? _formed;
    ulong[] _voters = [];

    /// <param name="parts">The parts, each under its own name.</param>
    /// <param name="published">Gets every new view when it is applied; may only post a message.</param>
    public CoordinatorStateMachine(IEnumerable<ICoordinatorPart>? parts = null, Action<CommittedView>? published = null)
    {
        foreach (var part in parts ?? []) _parts.Add(part.Name, part);
        _published = published;
    }

    public ulong AppliedIndex { get; private set; }

    /// <summary>The state for readers. A new object with every change; not to be changed.</summary>
    public CommittedView View { get; private set; } = new();

    /// <summary>What the first agreement fixed; null before the first command.</summary>
    public FormedCluster? Formed => _formed;

    public object? Apply(Entry entry)
    {
        Invariant.Check(entry.Index == AppliedIndex + 1, $"entries are applied in order: {entry.Index} after {AppliedIndex}");
        AppliedIndex = entry.Index;
        return entry.Kind == EntryKind.Command ? Apply(CoordinatorCommand.Parser.ParseFrom(entry.Payload)) : null;
    }

    CoordinatorResult Apply(CoordinatorCommand command)
    {
        if (command.DecisionCase == CoordinatorCommand.DecisionOneofCase.Form) return Form(command.Form);
        if (_formed is null) return Refuse(ErrorCode.Conflict, "the cluster is not formed yet");
        if (!string.Equals(command.ClusterId, View.ClusterId, StringComparison.Ordinal))
        {
            return Refuse(ErrorCode.Conflict, $"the command is for cluster '{command.ClusterId}', this is cluster '{View.ClusterId}'",
                new ClusterMismatch(View.ClusterId, command.ClusterId));
        }

        return command.DecisionCase switch
        {
            CoordinatorCommand.DecisionOneofCase.Join => Join(command.Join),
            CoordinatorCommand.DecisionOneofCase.Admit => Admit(command.Admit),
            CoordinatorCommand.DecisionOneofCase.Leave => Leave(command.Leave),
            CoordinatorCommand.DecisionOneofCase.Remove => Remove(command.Remove),
            CoordinatorCommand.DecisionOneofCase.Update => Update(command.Update),
            CoordinatorCommand.DecisionOneofCase.Part => ApplyPart(command.Part),
            CoordinatorCommand.DecisionOneofCase.Voters => ChangeVoters(command.Voters),
            _ => Refuse(ErrorCode.InvalidArgument, "the command holds no decision that this version knows"),
        };
    }

    CoordinatorResult Form(FormedCluster cluster)
    {
        if (_formed is not null)
        {
            // Every voter's leader proposes it until it sees it: a repeat is no news.
            return string.Equals(_formed.ClusterId, cluster.ClusterId, StringComparison.Ordinal)
                ? new CoordinatorResult(ErrorCode.None, "", View.View, false)
                : Refuse(ErrorCode.Conflict, $"formed as cluster '{_formed.ClusterId}', asked to form '{cluster.ClusterId}'",
                    new ClusterMismatch(_formed.ClusterId, cluster.ClusterId));
        }

        _formed = cluster;
        _voters = [.. cluster.CoordinatorVoters];
        foreach (var node in cluster.Members)
            _records[node.Uid] = new MemberRecord { Node = node, State = MemberState.Joining, View = 1, Reason = "first member" };
        foreach (var part in _parts.Values) part.Formed(cluster);
        return Commit();
    }

    CoordinatorResult Join(JoinDecision join)
    {
        var node = join.Node;
        if (node is null || node.Uid == 0 || node.Address.Length == 0)
            return Refuse(ErrorCode.InvalidArgument, "a join names uid and address");

        var known = _records.GetValueOrDefault(node.Uid);
        if (known is not null && known.State != MemberState.Removed)
            return Update(node); // a member already: at most it came back with a newer incarnation
        if (known is not null && known.Node.Incarnation >= node.Incarnation)
        {
            return Refuse(ErrorCode.Conflict,
                $"node {new NodeUid(node.Uid)} was removed as incarnation {known.Node.Incarnation}; it joins again with a newer one, not {node.Incarnation}",
                new IllegalTransitionRefused(new NodeUid(node.Uid), MemberState.Removed, MemberState.Joining, "incarnation is not newer"));
        }

        if (MemberRules.FindConflict(_records.Values, node, join.Replaces) is { } conflict)
            return Refuse(ErrorCode.Conflict, conflict.Reason, conflict);

        foreach (var uid in join.Replaces)
        {
            if (_records.TryGetValue(uid, out var old) && old.State != MemberState.Removed
                && (string.Equals(old.Node.Address, node.Address, StringComparison.Ordinal) || string.Equals(old.Node.Name, node.Name, StringComparison.Ordinal)))
            {
                Set(old.Node, MemberState.Removed, $"replaced: node {new NodeUid(node.Uid)} came with an empty data directory as {node.Name} at {node.Address}");
            }
        }

        Set(node, MemberState.Joining, known is null ? "asked to join" : "rejoins after its removal");
        return Commit();
    }

    CoordinatorResult Admit(AdmitDecision admit)
    {
        var changed = false;
        foreach (var uid in admit.Uids)
        {
            if (!_records.TryGetValue(uid, out var record) || record.State != MemberState.Joining) continue;
            Set(record.Node, MemberState.Up, "admitted");
            changed = true;
        }

        return changed ? Commit() : Unchanged();
    }

    CoordinatorResult Leave(LeaveDecision leave)
    {
        if (!_records.TryGetValue(leave.Uid, out var record)) return Unknown(leave.Uid);
        if (record.State is MemberState.Leaving or MemberState.Removed) return Unchanged();

        // A node that is still Joining has nothing to hand over: its leave is its removal.
        var target = record.State == MemberState.Joining ? MemberState.Removed : MemberState.Leaving;
        Set(record.Node, target, "asked to leave");
        return Commit();
    }

    CoordinatorResult Remove(RemoveDecision remove)
    {
        if (!_records.TryGetValue(remove.Uid, out var record)) return Unknown(remove.Uid);
        if (record.State == MemberState.Removed) return Unchanged();
        if (record.Node.Incarnation != remove.Incarnation)
        {
            return Refuse(ErrorCode.Conflict, $"node {record.Node.Name} is back with incarnation {record.Node.Incarnation}; incarnation {remove.Incarnation} was to be removed",
                new IllegalTransitionRefused(new NodeUid(remove.Uid), record.State, MemberState.Removed, "another incarnation"));
        }

        Set(record.Node, MemberState.Removed, remove.Reason);
        return Commit();
    }

    CoordinatorResult Update(NodeInfo node)
    {
        if (!_records.TryGetValue(node.Uid, out var record)) return Unknown(node.Uid);
        if (record.State == MemberState.Removed)
        {
            return Refuse(ErrorCode.NotAMember, $"node {node.Name} was removed ({record.Reason}); it has to join again with a newer incarnation",
                new IllegalTransitionRefused(new NodeUid(node.Uid), MemberState.Removed, MemberState.Up, "a removed node joins again first"));
        }

        if (node.Incarnation <= record.Node.Incarnation) return Unchanged();
        if (MemberRules.FindConflict(_records.Values, node, []) is { } conflict) return Refuse(ErrorCode.Conflict, conflict.Reason, conflict);
        Set(node, record.State, $"restarted: incarnation {node.Incarnation}");
        return Commit();
    }

    CoordinatorResult ChangeVoters(VotersDecision decision)
    {
        var uids = decision.Uids.Distinct().Order().ToArray();
        if (uids.Length is 0 or > CoordinatorPolicy.MaxVoters)
            return Refuse(ErrorCode.InvalidArgument, $"{uids.Length} voters; allowed are 1 to {CoordinatorPolicy.MaxVoters}");
        foreach (var uid in uids)
        {
            if (!_records.TryGetValue(uid, out var record) || record.State == MemberState.Removed) return Unknown(uid);
        }

        if (_voters.Order().SequenceEqual(uids)) return Unchanged();
        _voters = uids;
        return Commit();
    }

    CoordinatorResult ApplyPart(CoordinatorPartCommand command)
    {
        if (!_parts.TryGetValue(command.Part, out var part))
            return Refuse(ErrorCode.InvalidArgument, $"no part '{command.Part}' is registered with the coordinator");
        var result = part.Apply(command.Payload, View);
        return (result.Changed ? Commit() : Unchanged()) with { Reply = result.Reply };
    }

    void Set(NodeInfo node, MemberState state, string reason)
    {
        var from = _records.TryGetValue(node.Uid, out var record) ? record.State : MemberState.Unspecified;
        Invariant.Check(from == state || MemberRules.IsLegal(from, state), $"a decision made an illegal transition: {from} to {state} of {node.Name}");
        _records[node.Uid] = new MemberRecord { Node = node, State = state, View = View.View + 1, Reason = reason };
    }

    CoordinatorResult Commit()
    {
        var pruned = CommittedViews.PruneTombstones(_records);
        Publish(View.View + 1, View.PartitionsView, Math.Max(View.PrunedView, pruned));
        return new CoordinatorResult(ErrorCode.None, "", View.View, true);
    }

    void Publish(ulong number, ulong partitionsView, ulong prunedView)
    {
        PartitionMap? partitions = null;
        foreach (var part in _parts.Values) partitions ??= part.Partitions;
        if (!ReferenceEquals(partitions, View.Partitions) && !Equals(partitions, View.Partitions)) partitionsView = number;

        var view = new CommittedView
        {
            ClusterId = _formed?.ClusterId ?? "",
            View = number,
            Partitions = partitions,
            PartitionsView = partitionsView,
            PrunedView = prunedView,
        };
        view.Members.Add(_records.Values);
        view.CoordinatorVoters.Add(_voters);
        View = view;
        _published?.Invoke(view);
    }

    CoordinatorResult Unchanged() => new(ErrorCode.None, "", View.View, false);

    CoordinatorResult Unknown(ulong uid) => Refuse(ErrorCode.NotAMember, $"node {new NodeUid(uid)} is not a member");

    CoordinatorResult Refuse(ErrorCode error, string message, MembershipEvent? refusal = null) =>
        new(error, message, View.View, false, Refusal: refusal);

    public IStateSnapshot Capture()
    {
        var snapshot = new CoordinatorSnapshot { AppliedIndex = AppliedIndex, View = View, Formed = _formed };
        foreach (var part in _parts.Values) snapshot.Parts.Add(new CoordinatorPartState { Part = part.Name, State = part.Save() });
        return new CapturedState(snapshot);
    }

    public void Restore(Stream snapshot)
    {
        CoordinatorSnapshot state;
        try
        {
            state = CoordinatorSnapshot.Parser.ParseFrom(snapshot);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException("not a snapshot of the coordinator", e);
        }

        foreach (var part in state.Parts)
        {
            if (!_parts.TryGetValue(part.Part, out var registered))
                throw new InvalidDataException($"the snapshot holds part '{part.Part}', which is not registered here");
            registered.Restore(part.State);
        }

        _records.Clear();
        foreach (var record in state.View.Members) _records[record.Node.Uid] = record;
        _formed = state.Formed;
        _voters = [.. state.View.CoordinatorVoters];
        AppliedIndex = state.AppliedIndex;
        View = state.View;
        _published?.Invoke(View);
    }

    sealed class CapturedState(CoordinatorSnapshot state) : IStateSnapshot
    {
        public ulong AppliedIndex => state.AppliedIndex;

        public void WriteTo(Stream output) => state.WriteTo(output);
    }
}
