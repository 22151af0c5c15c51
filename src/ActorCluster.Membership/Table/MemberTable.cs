using System.Collections.Immutable;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>How a delta or a snapshot of the committed view was taken.</summary>
public enum DeltaStatus
{
    /// <summary>The table moved to the delta's view.</summary>
    Applied,

    /// <summary>The table was there already.</summary>
    Duplicate,

    /// <summary>Older than the table, which is untouched.</summary>
    Stale,

    /// <summary>Views between the table's and the delta's first are missing: ask for the range.</summary>
    Missing,

    /// <summary>Belongs to another cluster.</summary>
    ForeignCluster,
}

/// <summary>
/// What one node knows of all members, in two layers (architecture, section 6). The committed view is ordered by its view
/// number and moves only forwards, by deltas whose range must join on, or by a handshake snapshot. Observations are per
/// subject and merge by maximum. The state that a reader sees is computed from both: Unreachable is an observation on an
/// Up or Leaving member, undone by the member's own refutation; Removed is only ever committed.
/// Invariant: view number and every observation only ever rise.
/// </summary>
public sealed class MemberTable(NodeUid self)
{
    /// <summary>Into how many ranges observations are hashed for the digest of gossip.</summary>
    public const int Ranges = 16;

    readonly SortedDictionary<ulong, MemberRecord> _records = [];
    readonly SortedDictionary<ulong, Observation> _observations = [];
    readonly ulong?[] _rangeHashes = new ulong?[Ranges];
    readonly List<MembershipEvent> _events = [];
    ImmutableSortedDictionary<NodeUid, Member> _members = ImmutableSortedDictionary<NodeUid, Member>.Empty;
    CommittedView _committed = new();
    ulong? _viewHash;
    MembershipSnapshot? _snapshot;
    NodeInfo? _selfInfo;

    public NodeUid Self => self;

    /// <summary>The cluster that the node belongs to; empty while it belongs to none.</summary>
    public string ClusterId { get; private set; } = "";

    /// <summary>Number of the last committed decision known here.</summary>
    public ulong View => _committed.View;

    /// <summary>The committed layer; also what a joining node gets at handshake (row B15). Not to be changed.</summary>
    public CommittedView Committed => _committed;

    /// <summary>The whole table, for readers.</summary>
    public MembershipSnapshot Snapshot => _snapshot ??= new MembershipSnapshot(
        self, ClusterId, _committed.View, _members,
        [.. _committed.CoordinatorVoters.Select(v => new NodeUid(v))], _committed.Partitions);

    public IEnumerable<Member> Members => _members.Values;

    public Member? Find(NodeUid uid) => _members.GetValueOrDefault(uid);

    /// <summary>Events since the last call.</summary>
    public IReadOnlyList<MembershipEvent> DrainEvents()
    {
        if (_events.Count == 0) return [];
        var drained = _events.ToArray();
        _events.Clear();
        return drained;
    }

    // --- the committed layer

    /// <summary>The node belongs to a cluster, whose views are still to come; those of any other are refused from now on.</summary>
    public void BelongTo(string clusterId)
    {
        if (ClusterId.Length > 0 && !string.Equals(ClusterId, clusterId, StringComparison.Ordinal))
            throw new InvalidOperationException($"the node belongs to cluster '{ClusterId}', not to '{clusterId}'");
        ClusterId = clusterId;
        _snapshot = null;
    }

    /// <summary>Takes changed records of a range of views. Nothing changes unless the result is Applied.</summary>
    public DeltaStatus ApplyDelta(ViewDelta delta)
    {
        if (!AcceptsCluster(delta.ClusterId)) return DeltaStatus.ForeignCluster;
        if (delta.ToView == View) return DeltaStatus.Duplicate;
        if (delta.ToView < View)
        {
            _events.Add(new StaleDeltaRefused(View, delta.FromView, delta.ToView));
            return DeltaStatus.Stale;
        }

        if (delta.FromView > View)
        {
            _events.Add(new MissingRange(View, delta.FromView, delta.ToView));
            return DeltaStatus.Missing;
        }

        if (delta.Full) _records.Clear();
        foreach (var record in delta.Members)
            if (delta.Full || record.View > View) _records[record.Node.Uid] = record;
        var partitions = delta.Partitions ?? _committed.Partitions;
        var partitionsView = delta.Partitions is null ? _committed.PartitionsView : delta.PartitionsView;
        Install(delta.ClusterId, delta.ToView, delta.CoordinatorVoters, partitions, partitionsView, delta.PrunedView);
        return DeltaStatus.Applied;
    }

    /// <summary>Takes a whole committed view: at handshake, or from this node's own coordinator replica.</summary>
    public DeltaStatus ApplySnapshot(CommittedView view)
    {
        if (!AcceptsCluster(view.ClusterId)) return DeltaStatus.ForeignCluster;
        if (view.View == View) return DeltaStatus.Duplicate;
        if (view.View < View) return DeltaStatus.Stale;

        _records.Clear();
        foreach (var record in view.Members) _records[record.Node.Uid] = record;
        Install(view.ClusterId, view.View, view.CoordinatorVoters, view.Partitions, view.PartitionsView, view.PrunedView);
        return DeltaStatus.Applied;
    }

    /// <summary>Everything that changed above a view.</summary>
    public ViewDelta DeltaSince(ulong fromView) => CommittedViews.DeltaSince(_committed, fromView);

    /// <summary>Hash of the committed view.</summary>
    public ulong ViewHash => _viewHash ??= CommittedViews.Hash(_committed);

    /// <summary>Compares content under one view number; a difference is published and changes nothing.</summary>
    public bool CheckViewHash(ulong view, ulong hash)
    {
        if (view != View || view == 0 || hash == ViewHash) return true;
        _events.Add(new ViewConflict(view, ViewHash, hash));
        return false;
    }

    // --- observations

    /// <summary>The node speaks of itself: its own words, in its present incarnation.</summary>
    public void SetSelf(NodeInfo node)
    {
        _selfInfo = node;
        _snapshot = null;
        AddSelfObservation();
    }

    /// <summary>Merges an observation. False when it changed nothing.</summary>
    public bool Merge(Observation observation)
    {
        if (!_records.TryGetValue(observation.Subject, out var record) || record.State == MemberState.Removed) return false;
        if (observation.Incarnation < record.Node.Incarnation) return false;
        if (_observations.TryGetValue(observation.Subject, out var known) && Observations.Compare(observation, known) <= 0) return false;

        if (observation.Subject == self.Value && _selfInfo is { } node && AnswerAboutSelf(observation, node) is { } answer)
            observation = answer;
        _observations[observation.Subject] = observation;
        Touch(observation.Subject);
        return true;
    }

    /// <summary>
    /// This node observes another. Ignored when the subject is known by a newer incarnation than the one observed, or is no
    /// standing member. Severity rises only: coming back is for the subject itself to say.
    /// </summary>
    public bool Observe(NodeUid subject, ulong incarnation, Reachability reachability, string evidence)
    {
        if (Find(subject) is not { } member || member.Incarnation > incarnation) return false;
        var known = _observations.GetValueOrDefault(subject.Value);
        var counter = known is not null && known.Incarnation == incarnation ? known.Counter : 0;
        if (known is not null && known.Incarnation == incarnation && known.Reachability >= reachability) return false;
        return Merge(new Observation
        {
            Subject = subject.Value,
            Incarnation = incarnation,
            Counter = counter,
            Reachability = reachability,
            Observer = self.Value,
            Evidence = evidence.Length <= Observations.MaxEvidence ? evidence : evidence[..Observations.MaxEvidence],
            Node = member.Node,
        });
    }

    /// <summary>
    /// The node is about to stop for a while: others treat it as Unreachable at once. Its next incarnation is back at once.
    /// </summary>
    public void AnnounceStopping()
    {
        if (_selfInfo is not { } node) return;
        var counter = _observations.GetValueOrDefault(self.Value) is { } known && known.Incarnation == node.Incarnation ? known.Counter + 1 : 0;
        _selfInfo = null; // from here on it refutes nothing
        Merge(new Observation
        {
            Subject = self.Value,
            Incarnation = node.Incarnation,
            Counter = counter,
            Reachability = Reachability.ObservedUnreachable,
            Observer = self.Value,
            Evidence = "stopping",
            Node = node,
        });
    }

    public Observation? ObservationOf(NodeUid subject) => _observations.GetValueOrDefault(subject.Value);

    /// <summary>All observations, by subject.</summary>
    public IEnumerable<Observation> AllObservations => _observations.Values;

    public IEnumerable<Observation> ObservationsIn(int range) => _observations.Values.Where(o => RangeOf(o.Subject) == range);

    public static int RangeOf(ulong subject) => (int)(subject % Ranges);

    /// <summary>Hash of the observations of one range of subjects; 0 when there are none.</summary>
    public ulong RangeHash(int range)
    {
        if (_rangeHashes[range] is { } hash) return hash;
        hash = 0;
        foreach (var observation in ObservationsIn(range)) hash = WireBytes.Chain(hash, observation);
        _rangeHashes[range] = hash;
        return hash;
    }

    // --- inside

    bool AcceptsCluster(string clusterId)
    {
        if (clusterId.Length > 0 && (ClusterId.Length == 0 || string.Equals(ClusterId, clusterId, StringComparison.Ordinal))) return true;
        _events.Add(new ClusterMismatch(ClusterId, clusterId));
        return false;
    }

    void Install(string clusterId, ulong view, IEnumerable<ulong> voters, PartitionMap? partitions, ulong partitionsView, ulong prunedView)
    {
        CommittedViews.PruneTombstones(_records);
        var committed = new CommittedView
        {
            ClusterId = clusterId,
            View = view,
            Partitions = partitions,
            PartitionsView = partitionsView,
            PrunedView = prunedView,
        };
        committed.Members.Add(_records.Values);
        committed.CoordinatorVoters.Add(voters);
        _committed = committed;
        ClusterId = clusterId;
        _viewHash = null;
        _snapshot = null;

        foreach (var subject in _observations.Keys.ToArray())
        {
            if (!_records.TryGetValue(subject, out var record) || record.State == MemberState.Removed
                || _observations[subject].Incarnation < record.Node.Incarnation)
            {
                _observations.Remove(subject);
                _rangeHashes[RangeOf(subject)] = null;
            }
        }

        foreach (var gone in _members.Keys.Where(uid => !_records.ContainsKey(uid.Value)).ToArray()) _members = _members.Remove(gone);
        foreach (var uid in _records.Keys) Touch(uid);
        AddSelfObservation();
    }

    /// <summary>Recomputes one member and publishes what changed.</summary>
    void Touch(ulong uid)
    {
        _rangeHashes[RangeOf(uid)] = null;
        _snapshot = null;
        if (!_records.TryGetValue(uid, out var record)) return;
        var now = Compute(record, _observations.GetValueOrDefault(uid));
        var before = Find(now.Uid);
        _members = _members.SetItem(now.Uid, now);

        if (before is not null && before.Incarnation < now.Incarnation && before.State != MemberState.Removed && now.State != MemberState.Removed)
            _events.Add(new MemberRestarted(now.Uid, now.Name, now.Address, before.Incarnation, now.Incarnation));
        if (before?.State != now.State)
        {
            _events.Add(new MemberStateChanged(now.Uid, now.Name, now.Address, before?.State ?? MemberState.Unspecified, now.State,
                now.Incarnation, now.View, now.Evidence));
        }
    }

    static Member Compute(MemberRecord record, Observation? observation)
    {
        var uid = new NodeUid(record.Node.Uid);
        if (observation is null || record.State == MemberState.Removed || observation.Incarnation < record.Node.Incarnation)
            return new Member(uid, record.Node, record.State, record.State, false, record.Node.Incarnation, record.View, record.Reason);

        var node = observation.Node ?? record.Node;
        var state = record.State;
        var evidence = record.Reason;
        if (state is MemberState.Up or MemberState.Leaving)
        {
            if (observation.Reachability == Reachability.ObservedUnreachable)
            {
                state = MemberState.Unreachable;
                evidence = observation.Evidence;
            }
            else if (observation.Reachability == Reachability.Reachable && observation.Evidence.Length > 0)
            {
                evidence = observation.Evidence;
            }
        }

        return new Member(uid, node, state, record.State, observation.Reachability == Reachability.Suspected, observation.Incarnation, record.View, evidence);
    }

    void AddSelfObservation()
    {
        if (_selfInfo is not { } node || !_records.TryGetValue(self.Value, out var record) || record.State == MemberState.Removed) return;
        if (record.Node.Incarnation > node.Incarnation)
        {
            _events.Add(new OwnIncarnationIsOld(node.Incarnation, record.Node.Incarnation));
            return;
        }

        var known = _observations.GetValueOrDefault(self.Value);
        if (known is not null && known.Incarnation == node.Incarnation && known.Reachability == Reachability.Reachable && node.Equals(known.Node)) return;
        var restarted = record.Node.Incarnation < node.Incarnation;
        Merge(new Observation
        {
            Subject = self.Value,
            Incarnation = node.Incarnation,
            Counter = known is not null && known.Incarnation == node.Incarnation ? known.Counter + 1 : 0,
            Observer = self.Value,
            Evidence = restarted ? $"restarted: incarnation {node.Incarnation}" : "",
            Node = node,
        });
    }

    /// <summary>
    /// What others observed of this node is answered before it is shown: alive, with a counter above theirs (SWIM, section
    /// 4.2). Null when there is nothing to answer.
    /// </summary>
    Observation? AnswerAboutSelf(Observation observed, NodeInfo node)
    {
        if (observed.Incarnation > node.Incarnation)
        {
            _events.Add(new OwnIncarnationIsOld(node.Incarnation, observed.Incarnation));
            return null;
        }

        if (observed.Reachability == Reachability.Reachable) return null;
        _events.Add(new SelfRefuted(node.Incarnation, observed.Counter + 1, new NodeUid(observed.Observer), observed.Evidence));
        var evidence = $"refuted by the node itself, after: {observed.Evidence}";
        return new Observation
        {
            Subject = self.Value,
            Incarnation = node.Incarnation,
            Counter = observed.Counter + 1,
            Observer = self.Value,
            Evidence = evidence.Length <= Observations.MaxEvidence ? evidence : evidence[..Observations.MaxEvidence],
            Node = node,
        };
    }
}
