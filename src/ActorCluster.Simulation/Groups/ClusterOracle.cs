using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Simulation.Groups;

/// <summary>A promise of consensus was broken in a simulated run.</summary>
public sealed class OracleViolationException(string message) : Exception(message);

/// <summary>
/// Sees all replicas of all groups at once and checks, at the step in which something changes, what no replica can check
/// alone. Each check is incremental: what was compared once is remembered by (index, term).
/// </summary>
sealed class ClusterOracle(SwarmOptions options, Coverage coverage)
{
    readonly Dictionary<(GroupId Group, ulong Term), NodeUid> _leaders = [];
    readonly Dictionary<(GroupId Group, ulong Index, ulong Term), (ulong Content, ulong PreviousTerm)> _entries = [];
    readonly Dictionary<(GroupId Group, ulong Term, NodeUid Voter), NodeUid> _votes = [];
    readonly Dictionary<GroupId, List<Committed>> _committed = [];
    readonly Dictionary<(GroupId Group, ulong Index), ulong> _results = [];
    readonly Dictionary<(GroupId Group, ulong Index), ulong> _snapshots = [];
    readonly Dictionary<(NodeUid Node, GroupId Group), GroupLogModel> _models = [];

    /// <summary>Entries known to be committed in a group.</summary>
    public ulong CommittedTo(GroupId group) => (ulong)CommittedOf(group).Count;

    public GroupLogModel Model(NodeUid node, GroupId group)
    {
        if (!_models.TryGetValue((node, group), out var model)) _models.Add((node, group), model = new GroupLogModel());
        return model;
    }

    /// <summary>Election safety (paper, figure 3) and leader completeness (section 5.4.3).</summary>
    public void BecameLeader(GroupId group, RaftNode core)
    {
        coverage.Count("election won");
        if (!options.CheckInside) return;
        var known = _leaders.TryAdd((group, core.Term), core.Self) ? core.Self : _leaders[(group, core.Term)];
        Check(known == core.Self, group, $"two leaders of term {core.Term}: {known} and {core.Self}");
        // Its own vote counted, so it was durable. (A request for votes may leave earlier: it promises nothing.)
        Voted(group, core.Term, core.Self, core.Self);

        var committed = CommittedOf(group);
        for (var i = committed.Count - 1; i >= 0; i--)
        {
            // Only what was committed in an earlier term binds this leader: a leader of a lower term may come late.
            if (committed[i].CommitTerm >= core.Term) continue;
            var index = (ulong)i + 1;
            var has = core.Snapshot?.Index >= index || core.TermAt(index) == committed[i].Term;
            Check(has, group, $"leader {core.Self} of term {core.Term} lacks entry {index} of term {committed[i].Term}, committed in term {committed[i].CommitTerm}");
            break;
        }
    }

    /// <summary>A core asked for a write: log matching (paper, figure 3), by induction over (index, term).</summary>
    public void Written(GroupId group, RaftNode core, LogWrite write)
    {
        Model(core.Self, group).Append(write);
        if (write.Trusted) Trusted(group, core);
        if (write.Entries.Count == 0 || !options.CheckInside) return;
        var previousTerm = core.TermAt(write.Entries[0].Index - 1);
        foreach (var entry in write.Entries)
        {
            var content = ContentOf(entry);
            if (!_entries.TryAdd((group, entry.Index, entry.Term), (content, previousTerm ?? ulong.MaxValue)))
            {
                var (knownContent, knownPrevious) = _entries[(group, entry.Index, entry.Term)];
                Check(knownContent == content, group, $"entry {entry.Index} of term {entry.Term} has two contents (at {core.Self})");
                Check(
                    previousTerm is null || knownPrevious == ulong.MaxValue || knownPrevious == previousTerm,
                    group,
                    $"entry {entry.Index} of term {entry.Term} follows term {knownPrevious} elsewhere and {previousTerm} at {core.Self}");
            }

            previousTerm = entry.Term;
        }
    }

    /// <summary>A message leaves: what it promises is durable (faults A1, A2), and nobody votes twice in a term (J01).</summary>
    public void Sent(GroupId group, NodeUid from, RaftMessage message)
    {
        if (!options.CheckInside) return;
        switch (message.BodyCase)
        {
            case RaftMessage.BodyOneofCase.VoteRequest:
            case RaftMessage.BodyOneofCase.VoteResponse when message.VoteResponse is { Granted: true, PreVote: true }:
                Check(!Model(from, group).IsSuspect, group, $"{from} takes part in an election although it lost a part of its log");
                break;
            case RaftMessage.BodyOneofCase.AppendResponse when message.AppendResponse.Success:
                var model = Model(from, group);
                Check(
                    message.AppendResponse.MatchIndex <= model.LastIndex,
                    group,
                    $"{from} acknowledges {message.AppendResponse.MatchIndex}, durable is {model.LastIndex}");
                Check(message.Term <= model.HardState.Term, group, $"{from} answers in term {message.Term}, durable is term {model.HardState.Term}");
                break;
            case RaftMessage.BodyOneofCase.VoteResponse when message.VoteResponse is { Granted: true, PreVote: false }:
                Voted(group, message.Term, from, new NodeUid(message.To));
                break;
        }
    }

    /// <summary>A replica that lost a part of its log is trusted again: it holds whatever of its promises the cluster built upon (faults A15).</summary>
    void Trusted(GroupId group, RaftNode core)
    {
        coverage.Count("suspect replica repaired");
        if (!options.CheckInside) return;
        var model = Model(core.Self, group);
        var committed = CommittedOf(group);
        for (var index = 1UL; index <= (ulong)committed.Count; index++)
        {
            var term = committed[(int)index - 1].Term;
            if (!model.PromisedBefore(index, term)) continue;
            Check(
                core.Snapshot?.Index >= index || core.FirstIndex > index || core.TermAt(index) == term,
                group, $"{core.Self} is trusted without entry {index} of term {term}, which it promised and which is committed");
        }
    }

    /// <summary>A replica's commit index moved: state-machine safety, and a real majority of disks behind it (faults B1).</summary>
    public void CommitMoved(GroupId group, RaftNode core)
    {
        var committed = CommittedOf(group);
        for (var index = (ulong)committed.Count + 1; index <= core.CommitIndex; index++)
        {
            if (core.EntryAt(index) is not { } entry)
            {
                Check(!options.CheckInside, group, $"{core.Self} says that {index} is committed, does not hold it, and nobody committed it before");
                return;
            }

            committed.Add(new Committed(entry.Term, ContentOf(entry), core.Term));
            if (!options.CheckInside) continue;
            var holders = _models.Where(m => m.Key.Group == group && m.Value.Holds(index, entry.Term)).Select(m => m.Key.Node.Value).ToHashSet();
            var config = core.ConfigAt(index);
            Check(
                IsMajority(config.Voters, holders) && (config.OutgoingVoters.Count == 0 || IsLeftLater(core, index) || IsMajority(config.OutgoingVoters, holders)),
                group,
                $"entry {index} of term {entry.Term} is committed at {core.Self} under {config}, and durable on the disks of {string.Join(", ", holders.Order())}");
            if (entry.Kind == EntryKind.Config) coverage.Count(config.OutgoingVoters.Count > 0 ? "joint configuration committed" : "configuration committed");
        }
    }

    /// <summary>Under the entry that leaves a joint configuration the new voters decide alone, on what precedes it too.</summary>
    static bool IsLeftLater(RaftNode core, ulong index)
    {
        for (var later = index + 1; later <= core.LastIndex; later++)
        {
            if (core.EntryAt(later) is { Kind: EntryKind.Config }) return true;
        }

        return false;
    }

    static bool IsMajority(IReadOnlyCollection<ulong> voters, HashSet<ulong> holders) => voters.Count(holders.Contains) > voters.Count / 2;

    /// <summary>A committed entry is applied: the same entry and the same result everywhere (state-machine agreement).</summary>
    public void Applied(GroupId group, NodeUid node, Entry entry, ulong result)
    {
        if (!options.CheckInside) return;
        var committed = CommittedOf(group);
        Check(entry.Index <= (ulong)committed.Count, group, $"{node} applies {entry.Index}, committed is {committed.Count}");
        var known = committed[(int)entry.Index - 1];
        Check(
            known.Term == entry.Term && known.Content == ContentOf(entry),
            group,
            $"{node} applies an entry of term {entry.Term} at {entry.Index}, where one of term {known.Term} was committed");
        var first = _results.TryAdd((group, entry.Index), result) ? result : _results[(group, entry.Index)];
        Check(first == result, group, $"applying {entry.Index} gave another result at {node} than elsewhere");
    }

    /// <summary>Two replicas' states after the same entry are the same, byte for byte (faults E10).</summary>
    public void Captured(GroupId group, NodeUid node, ulong index, ulong hash)
    {
        coverage.Count("snapshot taken");
        if (!options.CheckInside) return;
        var first = _snapshots.TryAdd((group, index), hash) ? hash : _snapshots[(group, index)];
        Check(first == hash, group, $"the state after {index} at {node} differs from another replica's");
    }

    /// <summary>A node restarted.</summary>
    public void Recovered(NodeUid node, IReadOnlyList<RecoveredGroup> groups)
    {
        foreach (var found in groups)
        {
            var committed = CommittedOf(found.Group);
            Model(node, found.Group).Recover(
                found,
                (index, term) => index <= (ulong)committed.Count && committed[(int)index - 1].Term == term,
                (ok, message) => Check(ok || !options.CheckInside, found.Group, $"{node} restarts: {message}"));
        }
    }

    public static void Check(bool ok, GroupId group, string message)
    {
        if (!ok) throw new OracleViolationException(string.Create(CultureInfo.InvariantCulture, $"group {group}: {message}"));
    }

    void Voted(GroupId group, ulong term, NodeUid voter, NodeUid candidate)
    {
        var known = _votes.TryAdd((group, term, voter), candidate) ? candidate : _votes[(group, term, voter)];
        Check(known == candidate, group, $"{voter} votes in term {term} for {known} and for {candidate}");
        var model = Model(voter, group);
        Check(!model.IsSuspect, group, $"{voter} votes in term {term} although it lost a part of its log");
        Check(
            model.HardState.Term > term || (model.HardState.Term == term && model.HardState.Vote == candidate),
            group,
            $"{voter} shows a vote of term {term} for {candidate}; durable is term {model.HardState.Term}, vote {model.HardState.Vote}");
    }

    List<Committed> CommittedOf(GroupId group)
    {
        if (!_committed.TryGetValue(group, out var list)) _committed.Add(group, list = []);
        return list;
    }

    static ulong ContentOf(Entry entry) => StableHash.Of(entry.Payload.Span) ^ ((ulong)entry.Kind * 0x9e3779b97f4a7c15);

    /// <summary>CommitTerm: the term of the replica at which the commit was first seen.</summary>
    readonly record struct Committed(ulong Term, ulong Content, ulong CommitTerm);
}
