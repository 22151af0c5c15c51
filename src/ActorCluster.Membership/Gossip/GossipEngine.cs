using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using GossipMessage = ActorCluster.Protocol.Membership.Gossip;

namespace ActorCluster.Membership;

/// <summary>
/// Push-pull anti-entropy over a <see cref="MemberTable"/> (Demers et al., 1987). An exchange has up to three messages, each
/// with the sender's digest: view number, hash of the view, hashes of ranges of observations. Whoever sees that the
/// other lacks views sends the delta of the missing range; observations travel only for ranges whose hashes differ. Every
/// message also acknowledges the sender's view.
/// </summary>
public sealed class GossipEngine(MemberTable table, IRandomSource random, GossipOptions? options = null)
{
    /// <summary>Exchanges are opened, answered, and closed.</summary>
    const uint LastHop = 2;

    readonly GossipOptions _options = options ?? new GossipOptions();
    readonly SortedDictionary<ulong, Peer> _peers = [];
    readonly List<GossipOutput> _outputs = [];
    readonly List<MembershipEvent> _events = [];
    NodeInfo? _self;
    ulong _spreadView;
    long _spreadSince;

    public GossipState State { get; private set; } = GossipState.Confirmed;

    /// <summary>How long the last confirmed view took to reach all reachable peers.</summary>
    public long LastConvergenceMs { get; private set; }

    /// <summary>This node's own words, sent with every message. No exchange begins before they are given.</summary>
    public void SetSelf(NodeInfo self) => _self = self;

    /// <summary>Events since the last call.</summary>
    public IReadOnlyList<MembershipEvent> DrainEvents()
    {
        if (_events.Count == 0) return [];
        var drained = _events.ToArray();
        _events.Clear();
        return drained;
    }

    /// <summary>The view that a peer last said to have; null when it was never heard.</summary>
    public ulong? ViewOf(NodeUid peer) => _peers.TryGetValue(peer.Value, out var known) ? known.View : null;

    /// <summary>A sign of life that came outside gossip (an answered probe).</summary>
    public void Heard(NodeUid peer, ulong incarnation, long nowMs) => Note(peer.Value, incarnation, nowMs);

    /// <summary>Whether a peer's given incarnation, or a newer one, was heard lately.</summary>
    public bool IsFresh(NodeUid peer, ulong incarnation, long nowMs) =>
        _peers.TryGetValue(peer.Value, out var known) && known.Incarnation >= incarnation && nowMs - known.HeardAt <= _options.FreshMs;

    /// <summary>Whether any incarnation of a peer was heard within a time.</summary>
    public bool HeardWithin(NodeUid peer, long nowMs, long withinMs) =>
        _peers.TryGetValue(peer.Value, out var known) && nowMs - known.HeardAt <= withinMs;

    /// <summary>Opens exchanges with random peers; also with one that is Unreachable or Removed, so that cuts heal from either side.</summary>
    public IReadOnlyList<GossipOutput> Tick(long nowMs)
    {
        Confirm(nowMs);

        // Peers that are not known to have the newest view come first; those that have fill up.
        var open = Pick(m => m.State is not (MemberState.Removed or MemberState.Unreachable) && (ViewOf(m.Uid) ?? 0) < table.View, _options.Fanout);
        open.AddRange(Pick(m => m.State is not (MemberState.Removed or MemberState.Unreachable) && !open.Contains(m), _options.Fanout - open.Count));
        foreach (var member in open) Open(member.Address, member.Uid);
        foreach (var member in Pick(m => m.State is MemberState.Unreachable, 1)) Open(member.Address, member.Uid);
        return Flush();
    }

    /// <summary>Opens an exchange with whoever is at an address (a seed, a last known address).</summary>
    public IReadOnlyList<GossipOutput> Contact(string address, NodeUid uid = default)
    {
        Open(address, uid);
        return Flush();
    }

    /// <summary>A member that is held for unreachable or suspected gave a sign of life: it is told, so that it can refute.</summary>
    public IReadOnlyList<GossipOutput> Question(Member member)
    {
        var question = Digest(member.Uid, 0);
        if (table.ObservationOf(member.Uid) is { } observation) question.Observations.Add(observation);
        Send(member.Address, question);
        return Flush();
    }

    /// <summary>The table changed here: pushes what is new to peers at once, the subject of bad news first.</summary>
    public IReadOnlyList<GossipOutput> Disseminate(long nowMs)
    {
        var peers = Pick(m => m.State is not (MemberState.Removed or MemberState.Unreachable), _options.PushFanout);
        if (table.View > _spreadView)
        {
            _spreadView = table.View;
            _spreadSince = nowMs;
            State = GossipState.Diffusing;
            _events.Add(new Disseminated(peers.Count, table.View));
        }

        foreach (var member in peers) Push(member.Address, member.Uid);
        Confirm(nowMs);
        return Flush();
    }

    /// <summary>A peer said that it has a view. Returns the new state when that confirmed the newest view (row D13).</summary>
    public GossipState? HandleAck(NodeUid peer, ulong view, long nowMs)
    {
        Note(peer.Value, 0, nowMs).View = Math.Max(_peers[peer.Value].View, view);
        return Confirm(nowMs) ? GossipState.Confirmed : null;
    }

    /// <summary>Applies a peer's delta; asks for the range when one is missing, refuses one that is stale (rows D14 to D16).</summary>
    public DeltaStatus ApplyIncoming(ViewDelta delta, NodeUid peer, long nowMs)
    {
        var status = table.ApplyDelta(delta);
        switch (status)
        {
            case DeltaStatus.Stale:
                State = GossipState.Reconciling;
                _events.Add(new ConflictDetected(peer, table.View, delta.ToView));
                break;
            case DeltaStatus.Missing:
                RequestReconcile(peer, table.View, delta.ToView);
                break;
            case DeltaStatus.Applied or DeltaStatus.Duplicate:
                HandleAck(peer, delta.ToView, nowMs);
                break;
        }

        return status;
    }

    /// <summary>Views are missing: the next message to the peer carries this node's view, which asks for everything above it.</summary>
    public void RequestReconcile(NodeUid peer, ulong from, ulong to)
    {
        State = GossipState.Reconciling;
        _events.Add(new ReconcilingRequested(peer, from, to));
    }

    /// <summary>A message arrived.</summary>
    public IReadOnlyList<GossipOutput> Receive(GossipMessage message, long nowMs)
    {
        if (_self is null || message.Sender is not { } sender || sender.Uid == table.Self.Value) return [];
        if (message.To != 0 && message.To != table.Self.Value) return []; // meant for a node that was here before
        if (table.ClusterId.Length > 0 && message.ClusterId.Length > 0 && !string.Equals(message.ClusterId, table.ClusterId, StringComparison.Ordinal))
        {
            _events.Add(new ClusterMismatch(table.ClusterId, message.ClusterId));
            if (message.Hop == 0) Send(sender.Address, Digest(new NodeUid(sender.Uid), 1)); // so that the other side sees it too
            return Flush();
        }

        var peer = new NodeUid(sender.Uid);
        var known = Note(sender.Uid, sender.Incarnation, nowMs);
        known.View = message.View;

        if (message.Delta is { } delta)
        {
            ApplyIncoming(delta, peer, nowMs);
        }

        if (!table.CheckViewHash(message.View, message.ViewHash))
        {
            State = GossipState.Reconciling;
            _events.Add(new ConflictDetected(peer, table.View, message.View));
        }

        // A node that was removed may not know it yet: it learns, but its word about others does not count.
        if (table.Find(peer) is not { State: MemberState.Removed } || message.View > table.View)
            foreach (var observation in message.Observations) Consider(observation, nowMs);

        if (message.Hop < LastHop) Answer(sender, message);
        Confirm(nowMs);
        return Flush();
    }

    /// <summary>
    /// Merges, except bad news of somebody who was heard a moment ago: that is put to the subject itself first. If it is
    /// true the subject will soon not be fresh any more, and the next exchange brings the observation again.
    /// </summary>
    void Consider(Observation observation, long nowMs)
    {
        var subject = new NodeUid(observation.Subject);
        var fromOthers = observation.Observer != observation.Subject && subject != table.Self;
        if (observation.Reachability == Reachability.ObservedUnreachable && fromOthers && IsFresh(subject, observation.Incarnation, nowMs)
            && table.Find(subject) is { State: not (MemberState.Unreachable or MemberState.Removed) } member)
        {
            var question = Digest(subject, 0);
            question.Observations.Add(observation);
            Send(member.Address, question);
            return;
        }

        table.Merge(observation);
    }

    void Answer(NodeInfo sender, GossipMessage message)
    {
        var answer = Digest(new NodeUid(sender.Uid), message.Hop + 1);
        if (message.View < table.View) answer.Delta = table.DeltaSince(message.View);
        var differs = AddDiffering(answer, message);

        // The closing message is sent only when the opener still lacks something, or is ahead.
        var lacks = answer.Delta is not null || differs;
        if (message.Hop == 0 || lacks) Send(sender.Address, answer);
    }

    bool AddDiffering(GossipMessage answer, GossipMessage message)
    {
        var differs = false;
        for (var range = 0; range < MemberTable.Ranges; range++)
        {
            var theirs = range < message.RangeHashes.Count ? message.RangeHashes[range] : 0;
            if (theirs == table.RangeHash(range)) continue;
            differs = true;
            foreach (var observation in table.ObservationsIn(range))
            {
                if (answer.Observations.Count >= _options.MaxObservations) return true;
                answer.Observations.Add(observation);
            }
        }

        return differs;
    }

    void Open(string address, NodeUid uid) => Send(address, Digest(uid, 0));

    /// <summary>Opens an exchange that already carries what the peer is not known to have.</summary>
    void Push(string address, NodeUid uid)
    {
        var message = Digest(uid, 0);
        var theirs = ViewOf(uid) ?? 0;
        if (theirs < table.View) message.Delta = table.DeltaSince(theirs);
        foreach (var observation in table.AllObservations)
        {
            if (message.Observations.Count >= _options.MaxObservations) break;
            if (observation.Reachability != Reachability.Reachable || observation.Observer == table.Self.Value) message.Observations.Add(observation);
        }

        Send(address, message);
    }

    GossipMessage Digest(NodeUid to, uint hop)
    {
        var message = new GossipMessage { Sender = _self, To = to.Value, ClusterId = table.ClusterId, View = table.View, ViewHash = table.ViewHash, Hop = hop };
        for (var range = 0; range < MemberTable.Ranges; range++) message.RangeHashes.Add(table.RangeHash(range));
        return message;
    }

    void Send(string address, GossipMessage message)
    {
        if (_self is not null && address != _self.Address) _outputs.Add(new SendGossip(address, message));
    }

    Peer Note(ulong uid, ulong incarnation, long nowMs)
    {
        if (!_peers.TryGetValue(uid, out var peer)) _peers[uid] = peer = new Peer();
        if (incarnation > peer.Incarnation)
        {
            peer.Incarnation = incarnation;
            peer.View = 0; // a new process knows only what it is told
        }

        if (incarnation >= peer.Incarnation) peer.HeardAt = nowMs;
        return peer;
    }

    /// <summary>Confirmed once every reachable member said that it has the newest view.</summary>
    bool Confirm(long nowMs)
    {
        foreach (var gone in _peers.Keys.Where(uid => table.View > 0 && table.Find(new NodeUid(uid)) is null or { State: MemberState.Removed }).ToArray())
            _peers.Remove(gone);
        if (State == GossipState.Confirmed) return false;
        foreach (var member in table.Members)
        {
            if (member.Uid == table.Self || member.State is MemberState.Removed or MemberState.Unreachable) continue;
            if ((ViewOf(member.Uid) ?? 0) < table.View) return false;
        }

        State = GossipState.Confirmed;
        LastConvergenceMs = nowMs - _spreadSince;
        _events.Add(new Confirmed(table.View, LastConvergenceMs));
        return true;
    }

    List<Member> Pick(Func<Member, bool> which, int count)
    {
        var candidates = table.Members.Where(m => m.Uid != table.Self && which(m)).ToList();
        while (candidates.Count > count) candidates.RemoveAt(random.Next(candidates.Count));
        return candidates;
    }

    IReadOnlyList<GossipOutput> Flush()
    {
        if (_outputs.Count == 0) return [];
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        return outputs;
    }

    sealed class Peer
    {
        public ulong View { get; set; }
        public ulong Incarnation { get; set; }
        public long HeardAt { get; set; } = long.MinValue / 2;
    }
}
