using System.Buffers.Binary;
using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// What the records read so far say of each group, and which groups lost something.
/// Of a group that lost a record nothing that was written later is built upon what was written before: a lost record may have
/// superseded entries, and the commit index and the entries that came after it belong to a log which is not here. Its log
/// stays as it was at that moment, which is a log that this replica once had; only a later snapshot goes on from there.
/// </summary>
sealed class RecoveredLogs(VoteCopy? votes)
{
    readonly SortedDictionary<GroupId, State> _groups = [];
    readonly HashSet<GroupId> _inTable = [];
    readonly HashSet<GroupId> _deleted = [];

    /// <summary>Everything that could not be read, in the order of the log.</summary>
    public List<LogDamage> Damages { get; } = [];

    public IEnumerable<GroupTail> Tails => _groups.Values.Select(s => s.Tail);

    /// <summary>Whether a group is in the log as far as it was read.</summary>
    public bool Knows(GroupId group) => _groups.ContainsKey(group);

    /// <summary>Something is lost. Without a group: whatever is there now may have lost something, and what the second copy knows, too.</summary>
    public void Lose(LogDamage damage)
    {
        Damages.Add(damage);
        if (damage.Group is { } known)
        {
            StateOf(known, damage).Lose(damage);
            return;
        }

        foreach (var group in votes?.Groups ?? []) StateOf(group, damage);
        foreach (var state in _groups.Values) state.Lose(damage);
    }

    public void BeginTable() => _inTable.Clear();

    /// <summary>A table was read whole: a group that is not in it was deleted, by a record that may be lost.</summary>
    public void EndTable()
    {
        foreach (var gone in _groups.Keys.Except(_inTable).ToList()) Delete(gone);
    }

    /// <param name="header">The record, which is sound.</param>
    /// <param name="body">Its body.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="inTable">It belongs to the table at a segment's head.</param>
    /// <param name="isOldest">Nothing before its segment is there.</param>
    public void Apply(RecordHeader header, ReadOnlySpan<byte> body, LogPosition place, bool inTable, bool isOldest)
    {
        var id = new GroupId(header.Group);
        if (inTable) _inTable.Add(id);
        try
        {
            if (header.Kind == RecordKind.Create) Create(id, GroupConfig.Parser.ParseFrom(body));
            else if (header.Kind == RecordKind.Delete) Delete(id);
            else if (!_groups.TryGetValue(id, out var state)) Lose(Damaged(place, header, "the group was never created"));
            else if (Apply(state, header, body, place, isOldest && inTable) is { } wrong) Lose(Damaged(place, header, wrong));
        }
        catch (InvalidProtocolBufferException e)
        {
            Lose(Damaged(place, header, $"its body cannot be parsed: {e.Message}"));
        }
    }

    /// <summary>
    /// The groups as they go on: term and vote not below their second copy, the log of each following its snapshot without a gap
    /// (fault A11), and those that lost something suspect.
    /// </summary>
    /// <exception cref="LogDamagedException">A group whose first configuration is lost with its second copy.</exception>
    public List<RecoveredGroup> Finish(string oldestSegment)
    {
        FindUnknown();
        var result = new List<RecoveredGroup>(_groups.Count);
        foreach (var (id, state) in _groups)
        {
            var tail = state.Tail;
            if (tail.Config.Voters.Count == 0)
            {
                tail.Config = votes?.ConfigOf(id) ?? tail.Snapshot?.Config
                    ?? throw new LogDamagedException(oldestSegment, 0, id, "the group's first configuration is lost, and its second copy too");
            }

            if (tail.Base != (tail.Snapshot?.Index ?? 0))
            {
                var damage = new LogDamage(
                    oldestSegment, 0, id, tail.Base, $"the log of the group begins after index {tail.Base}, its snapshot ends at {tail.Snapshot?.Index ?? 0}");
                Damages.Add(damage);
                state.Lose(damage);
            }

            TakeSecondCopy(id, state);
            if (state.Lost is { } lost) Distrust(id, tail, lost);
            result.Add(new RecoveredGroup(id, tail.HardState, tail.Config, tail.Snapshot, [.. tail.Entries], tail.Suspicion));
        }

        return result;
    }

    /// <summary>
    /// The copy is written after the log: a group that only the copy knows was in the log, unless a record that deletes it was read. The
    /// record goes with its segment only after the group is out of the copy.
    /// </summary>
    void FindUnknown()
    {
        if (votes is null) return;
        foreach (var group in votes.Groups.Except(_groups.Keys).Except(_deleted).ToList())
        {
            var damage = new LogDamage(VoteCopy.FileName, 0, group, Index: null, "the log does not hold the group, the second copy does");
            Damages.Add(damage);
            StateOf(group, damage);
        }
    }

    /// <summary>The copy is written after the log: one that is ahead of it says that the log lost what was durable.</summary>
    void TakeSecondCopy(GroupId id, State state)
    {
        if (votes?.Find(id) is not { } copy) return;
        var known = state.Tail.HardState;
        if (copy.Term < known.Term || (copy.Term == known.Term && (copy.Vote.IsNone || copy.Vote == known.Vote))) return;
        state.Tail.HardState = known with { Term = copy.Term, Vote = copy.Vote };
        if (state.Lost is not null) return;
        var damage = new LogDamage(
            VoteCopy.FileName, 0, id, Index: null, $"the log ends in term {known.Term} with vote {known.Vote}, the second copy says term {copy.Term} and vote {copy.Vote}");
        Damages.Add(damage);
        state.Lose(damage);
    }

    void Distrust(GroupId id, GroupTail tail, LogDamage lost)
    {
        if (tail.Base != (tail.Snapshot?.Index ?? 0)) tail.StartOver();
        var termIsLost = votes?.Find(id) is null || tail.Suspicion is { TermIsLost: true };
        var reason = lost.ToString();
        if (reason.Length > Suspicion.MaxReasonChars) reason = reason[..Suspicion.MaxReasonChars];
        tail.Suspicion = new Suspicion(reason, termIsLost);

        // The hint may belong to entries that are lost; whatever is in the snapshot was committed.
        tail.HardState = tail.HardState with { Commit = tail.Snapshot?.Index ?? 0, Term = Math.Max(tail.HardState.Term, tail.LastTerm) };
    }

    void Delete(GroupId id)
    {
        _groups.Remove(id);
        _deleted.Add(id);
    }

    void Create(GroupId id, GroupConfig config)
    {
        _deleted.Remove(id);
        if (!_groups.TryGetValue(id, out var state)) _groups.Add(id, new State(new GroupTail(id, config)));
        else if (state.Tail.Config.Voters.Count == 0) state.Tail.Config = config;
    }

    /// <returns>What is wrong with it; null when it fits.</returns>
    static string? Apply(State state, RecordHeader header, ReadOnlySpan<byte> body, LogPosition place, bool isOldestHead)
    {
        var tail = state.Tail;
        switch (header.Kind)
        {
            case RecordKind.HardState when body.Length == sizeof(ulong):
                tail.HardState = new HardState(header.Term, new NodeUid(BinaryPrimitives.ReadUInt64LittleEndian(body)), header.Index);
                return null;
            case RecordKind.Entry:
                if (state.IsFrozen) return null;
                var entry = new Entry { Index = header.Index, Term = header.Term, Kind = (EntryKind)header.Detail, Payload = ByteString.CopyFrom(body) };
                return tail.TryAppend(entry, place.Segment) || state.FreezeAgain() ? null : $"entry {header.Index} does not follow entry {tail.Last}";
            case RecordKind.Snapshot:
                state.Cover(SnapshotMeta.Parser.ParseFrom(body), header.Detail == LogFormat.SnapshotReplacesLog);
                return null;
            case RecordKind.Extent when isOldestHead:
                if (header.Index > tail.Last) tail.StartAfter(header.Index, header.Term);
                return null;
            case RecordKind.Extent:
                return state.IsFrozen || (header.Index == tail.Last && header.Term == tail.LastTerm) || state.FreezeAgain()
                    ? null
                    : $"the group's log ends at index {tail.Last} in term {tail.LastTerm}, the table at the segment's head says {header.Index} in term {header.Term}";
            case RecordKind.Suspicion:
                tail.Suspicion = (SuspicionDetail)header.Detail == SuspicionDetail.Trusted
                    ? null
                    : new Suspicion(Encoding.UTF8.GetString(body), (SuspicionDetail)header.Detail == SuspicionDetail.SuspectWithoutTerm);
                return null;
            case RecordKind.ForcedRecovery:
                tail.ForcedRecovery = Encoding.UTF8.GetString(body);
                return null;
            default:
                return $"a record of unknown kind {(byte)header.Kind}";
        }
    }

    State StateOf(GroupId group, LogDamage damage)
    {
        if (_groups.TryGetValue(group, out var state)) return state;
        // Its beginning is lost: the configuration comes from a later table or from the second copy.
        state = new State(new GroupTail(group, new GroupConfig()));
        state.Lose(damage);
        _groups.Add(group, state);
        return state;
    }

    static LogDamage Damaged(LogPosition place, RecordHeader header, string reason) => new(
        LogFormat.SegmentName(place.Segment), place.Offset, new GroupId(header.Group), header.Kind == RecordKind.Entry ? header.Index : null, reason);

    sealed class State(GroupTail tail)
    {
        public GroupTail Tail => tail;

        /// <summary>The first thing that the group lost.</summary>
        public LogDamage? Lost { get; private set; }

        /// <summary>What follows in the log follows something that is lost.</summary>
        public bool IsFrozen { get; private set; }

        public void Lose(LogDamage damage)
        {
            Lost ??= damage;
            IsFrozen = true;
        }

        /// <summary>Went on from a snapshot, but what comes next does not follow it. False: nothing is known to be lost, so that is damage.</summary>
        public bool FreezeAgain() => IsFrozen = Lost is not null;

        public void Cover(SnapshotMeta snapshot, bool replacesLog)
        {
            if (!IsFrozen)
            {
                tail.Cover(snapshot, replacesLog);
                return;
            }

            // What a snapshot stands for is committed, so it may replace whatever was there; its successors may follow it.
            if (snapshot.Index < (tail.Snapshot?.Index ?? 0)) return;
            var keepsTail = !replacesLog && tail.Contains(snapshot.Index, snapshot.Term) && snapshot.Index < tail.Last;
            tail.Cover(snapshot, !keepsTail);
            IsFrozen = keepsTail;
        }
    }
}
