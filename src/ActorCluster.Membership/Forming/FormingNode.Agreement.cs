using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Membership;

/// <summary>Binding to a set of nodes, and Paxos within it.</summary>
public sealed partial class FormingNode
{
    readonly SortedDictionary<ulong, FormingPromise> _promises = [];
    readonly SortedSet<ulong> _accepts = [];
    FormingBallot? _ballot;
    FormedCluster? _proposal;
    ulong _highestCounter;
    long _ballotEnds;

    void Handle(FormingMessage message)
    {
        switch (message.BodyCase)
        {
            case FormingMessage.BodyOneofCase.Hello: OnHello(message.From, message.Hello); break;
            case FormingMessage.BodyOneofCase.Chosen: Learn(message.Chosen.Value); break;
            case FormingMessage.BodyOneofCase.Prepare: OnPrepare(message.From, message.Prepare); break;
            case FormingMessage.BodyOneofCase.Promise: OnPromise(message.From, message.Promise); break;
            case FormingMessage.BodyOneofCase.Accept: OnAccept(message.From, message.Accept); break;
            case FormingMessage.BodyOneofCase.AcceptReply: OnAcceptReply(message.From, message.AcceptReply); break;
        }
    }

    /// <summary>Binds, seals and proposes as far as what is known allows.</summary>
    void Advance()
    {
        if (!IsBlank || _foundCluster is not null || _state.Formed is not null) return;
        ChooseBinding();
        Seal();
        Propose();
    }

    // --- binding

    void ChooseBinding()
    {
        var contacts = InContact().ToArray();
        _blocked = null;

        // Somebody in contact is ahead with a set that holds this node, and all of that set are there: follow.
        var ahead = contacts.Select(c => c.Binding)
            .Where(b => b is not null && b.Round > Round && b.Uids.Contains(_self.Uid) && b.Uids.All(IsThere))
            .MaxBy(b => b!.Round);
        if (ahead is not null)
        {
            Bind(ahead.Round, [.. ahead.Uids]);
            return;
        }

        // A sealed round goes on as long as it has a majority.
        if (_state.Sealed && _state.Binding.Uids.Count(IsThere) >= Majority) return;
        if (contacts.Length + 1 < Expect) return;

        var target = contacts.Select(c => c.Node.Uid).Append(_self.Uid).Order().Take(Expect).ToArray();
        if (!target.Contains(_self.Uid)) return;
        if (_state.Binding is { } bound && bound.Uids.SequenceEqual(target)) return;
        var highest = contacts.Where(c => target.Contains(c.Node.Uid)).Select(c => c.Binding?.Round ?? 0).Append(Round).Max();
        Bind(highest + 1, target);

        bool IsThere(ulong uid) => uid == _self.Uid || contacts.Any(c => c.Node.Uid == uid);
    }

    ulong Round => _state.Binding?.Round ?? 0;

    void Bind(ulong round, ulong[] uids)
    {
        Invariant.Check(round > Round, $"a node's rounds rise: {round} after {Round}");
        var unsettled = _state.Unsettled.ToList();
        if (_state.Binding is not null) unsettled.Add(new FormingBinding { Round = _state.Binding.Round, Uids = { _state.Binding.Uids }, Nodes = { _state.Binding.Nodes } });
        foreach (var earlier in unsettled)
        {
            // Invariant: every majority of the earlier set has a node in the new one, so whatever it chose is inherited.
            if (earlier.Uids.Count(uids.Contains) >= Expect - Majority + 1) continue;
            var gone = earlier.Nodes.Where(n => !uids.Contains(n.Uid)).Select(n => $"{n.Name} at {n.Address} (uid {new NodeUid(n.Uid)})");
            _blocked = "this node took part in forming a cluster with " + string.Join(" and ", gone)
                + ", who may have formed it and are gone; bring them back with their data, or empty this node's data directory too";
            return;
        }

        // Sets that differ in the same nodes are one obligation.
        unsettled = [.. unsettled.GroupBy(b => string.Join(',', b.Uids)).Select(g => g.MaxBy(b => b.Round)!)];
        if (unsettled.Count > MaxUnsettled)
        {
            _blocked = string.Create(CultureInfo.InvariantCulture, $"this node took part in more than {MaxUnsettled} unfinished attempts to form a cluster; empty its data directory");
            return;
        }

        var binding = new FormingBinding { Round = round, Inherited = Ballots.Later(_state.Accepted, _state.Binding?.Inherited) };
        binding.Uids.Add(uids);
        foreach (var uid in uids) binding.Nodes.Add(uid == _self.Uid ? _self : _contacts[uid].Node);
        _state = new FormingState { Binding = binding };
        _state.Unsettled.Add(unsettled);
        Store();
        Abandon();
    }

    /// <summary>All N are bound, durably: what anybody had accepted before is known, and earlier sets are settled.</summary>
    void Seal()
    {
        if (_state.Sealed || _durable.Binding is not { } own || own.Round != Round) return;
        var inherited = own.Inherited;
        foreach (var uid in own.Uids)
        {
            if (uid == _self.Uid) continue;
            if (!_contacts.TryGetValue(uid, out var contact) || contact.Binding is not { } theirs) return;
            if (theirs.Round != own.Round || !theirs.Uids.SequenceEqual(own.Uids)) return;
            inherited = Ballots.Later(inherited, theirs.Inherited);
        }

        MarkSealed(inherited);
        Store();
    }

    void MarkSealed(FormingAccepted? inherited)
    {
        _state.Sealed = true;
        _state.Binding.Inherited = inherited;
        _state.Unsettled.Clear();
        _ballotEnds = _now + Patience();
    }

    // --- Paxos: proposer

    void Propose()
    {
        if (!_durable.Sealed || _durable.Binding.Round != Round) return;
        var first = _ballot is null && _state.Binding.Uids.Where(u => u == _self.Uid || InContact().Any(c => c.Node.Uid == u)).Min() == _self.Uid
            && _state.Promised is null;
        if (!first && _now < _ballotEnds) return;

        Abandon();
        _highestCounter = Math.Max(_highestCounter, _state.Promised?.Counter ?? 0) + 1;
        _ballot = new FormingBallot { Counter = _highestCounter, Proposer = _self.Uid };
        _ballotEnds = _now + Patience();
        foreach (var node in _state.Binding.Nodes)
            Post(Newest(node), new FormingMessage { Prepare = new FormingPrepare { Ballot = _ballot, Binding = _state.Binding.Clone() } });
    }

    long Patience() => _timing.BallotMs + _random.Next((int)_timing.BallotMs);

    void Abandon()
    {
        _ballot = null;
        _proposal = null;
        _promises.Clear();
        _accepts.Clear();
    }

    void OnPromise(NodeInfo from, FormingPromise promise)
    {
        _highestCounter = Math.Max(_highestCounter, promise.Promised?.Counter ?? 0);
        if (_ballot is null || promise.Round != Round || !_ballot.Equals(promise.Ballot) || _proposal is not null) return;
        if (Ballots.Compare(promise.Promised, promise.Ballot) > 0 || !_state.Binding.Uids.Contains(from.Uid)) return;

        _promises[from.Uid] = promise;
        if (_promises.Count < Majority) return;
        var accepted = _promises.Values.Select(p => p.Accepted).Aggregate(default(FormingAccepted), Ballots.Later);
        _proposal = accepted?.Value ?? _state.Binding.Inherited?.Value ?? NewCluster();
        foreach (var node in _state.Binding.Nodes)
            Post(Newest(node), new FormingMessage { Accept = new FormingAccept { Round = Round, Ballot = _ballot, Value = _proposal } });
    }

    void OnAcceptReply(NodeInfo from, FormingAcceptReply reply)
    {
        _highestCounter = Math.Max(_highestCounter, reply.Promised?.Counter ?? 0);
        if (_ballot is null || _proposal is null || reply.Round != Round || !_ballot.Equals(reply.Ballot)) return;
        if (Ballots.Compare(reply.Promised, reply.Ballot) > 0 || !_state.Binding.Uids.Contains(from.Uid)) return;

        _accepts.Add(from.Uid);
        if (_accepts.Count >= Majority) Learn(_proposal);
    }

    FormedCluster NewCluster()
    {
        var nodes = _state.Binding.Nodes.Select(Newest).OrderBy(n => n.Name, StringComparer.Ordinal).ThenBy(n => n.Uid).ToArray();
        var voters = nodes.Length >= 5 ? 5 : nodes.Length >= 3 ? 3 : 1;
        var cluster = new FormedCluster
        {
            ClusterId = _random.NextUInt64().ToString("x16", CultureInfo.InvariantCulture),
            Partitions = _settings.Partitions,
            ReplicationFactor = _settings.ReplicationFactor,
        };
        cluster.Members.Add(nodes);
        cluster.CoordinatorVoters.Add(nodes.Take(voters).Select(n => n.Uid));
        return cluster;
    }

    NodeInfo Newest(NodeInfo node) =>
        node.Uid == _self.Uid ? _self
        : _contacts.TryGetValue(node.Uid, out var contact) && contact.Node.Incarnation >= node.Incarnation ? contact.Node
        : node;

    // --- Paxos: acceptor

    void OnPrepare(NodeInfo from, FormingPrepare prepare)
    {
        if (!AnswersIn(prepare.Binding.Round) || !prepare.Binding.Uids.SequenceEqual(_state.Binding.Uids)) return;
        if (!_state.Sealed) MarkSealed(prepare.Binding.Inherited);
        Invariant.Check(Equals(_state.Binding.Inherited, prepare.Binding.Inherited), "all nodes of a sealed set inherit the same value");

        if (Ballots.Compare(prepare.Ballot, _state.Promised) >= 0)
        {
            _state.Promised = prepare.Ballot;
            _ballotEnds = Math.Max(_ballotEnds, _now + Patience());
            Store();
        }

        PostDurably(Newest(from), new FormingMessage
        {
            Promise = new FormingPromise { Round = Round, Ballot = prepare.Ballot, Promised = _state.Promised, Accepted = _state.Accepted },
        });
    }

    void OnAccept(NodeInfo from, FormingAccept accept)
    {
        if (!AnswersIn(accept.Round)) return;
        if (Ballots.Compare(accept.Ballot, _state.Promised) >= 0)
        {
            _state.Promised = accept.Ballot;
            _state.Accepted = new FormingAccepted { Round = accept.Round, Ballot = accept.Ballot, Value = accept.Value };
            _ballotEnds = Math.Max(_ballotEnds, _now + Patience());
            Store();
        }

        PostDurably(Newest(from), new FormingMessage
        {
            AcceptReply = new FormingAcceptReply { Round = accept.Round, Ballot = accept.Ballot, Promised = _state.Promised },
        });
    }

    /// <summary>
    /// A blank node that knows of a cluster, or has formed one, takes no part; nor does it speak for a round it has left.
    /// </summary>
    bool AnswersIn(ulong round) => IsBlank && _foundCluster is null && _state.Formed is null && _state.Binding is not null && round == Round;

    // --- the end

    void Learn(FormedCluster cluster)
    {
        if (!cluster.Members.Any(m => m.Uid == _self.Uid) || _state.Formed is not null) return;
        if (!IsBlank && !string.Equals(_clusterId, cluster.ClusterId, StringComparison.Ordinal)) return;
        Abandon();
        _state.Formed = cluster;
        Store();
        Hold(new ClusterFormed(cluster));
    }
}
