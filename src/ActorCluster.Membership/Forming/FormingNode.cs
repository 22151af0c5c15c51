using System.Globalization;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Membership;

/// <summary>
/// One node's part in forming the first cluster: single-decree Paxos (Lamport, "Paxos Made Simple", 2001) among exactly
/// the N blank nodes of <c>--expect N</c>, so that there is never more than one cluster, whoever crashes when.
/// <para>
/// A node first <em>binds</em> itself, durably, to (round, set of N uids), and says so. Once all N are known to be bound
/// the round is <em>sealed</em>, and Paxos runs in it by majority, so that a crash in the middle blocks nobody. When a
/// node of the set lost its disk it comes back with another uid, and the others bind themselves to a new set in a higher
/// round. A binding says what its node had accepted before; sealing takes the latest of all N, and that value is what the
/// new round must choose.
/// </para>
/// <para>
/// Invariants: a node's rounds only rise; it answers for its present round only; it leaves a set in which something may
/// have been chosen only for one that holds a node of each of its majorities, for then whatever was chosen is among what
/// the new set inherits. Nothing that depends on stored state is sent before it is synced.
/// </para>
/// </summary>
public sealed partial class FormingNode
{
    /// <summary>Most earlier sets remembered as unsettled; beyond it the node refuses to bind itself again.</summary>
    const int MaxUnsettled = 16;

    /// <summary>Most blank nodes kept in contact.</summary>
    const int MaxContacts = 256;

    readonly FormingSettings _settings;
    readonly IReadOnlyList<string> _seeds;
    readonly IRandomSource _random;
    readonly FormingTiming _timing;
    readonly SortedDictionary<ulong, Contact> _contacts = [];
    readonly SortedDictionary<ulong, string> _refusals = [];
    readonly List<FormingOutput> _outputs = [];
    readonly Queue<FormingMessage> _toSelf = new();
    readonly Queue<(ulong Token, FormingState State)> _writing = new();
    readonly List<(ulong Token, FormingOutput Output)> _held = [];
    readonly NodeInfo _self;
    string _clusterId;
    FormingState _state;
    FormingState _durable;
    ulong _token;
    ulong _durableToken;
    string? _foundCluster;
    string? _blocked;
    long _now;
    long _nextHello;

    /// <param name="self">This node's words.</param>
    /// <param name="settings">Must be equal on all nodes.</param>
    /// <param name="seeds">Addresses to say hello to; this node's own may be among them.</param>
    /// <param name="clusterId">Empty on a blank node; a node that has one only tells others.</param>
    /// <param name="restored">What was stored last, or null.</param>
    /// <param name="random">For the cluster id and for back-off.</param>
    /// <param name="timing">Durations.</param>
    public FormingNode(NodeInfo self, FormingSettings settings, IReadOnlyList<string> seeds, string clusterId, FormingState? restored, IRandomSource random, FormingTiming? timing = null)
    {
        _self = self;
        _settings = settings;
        _seeds = seeds;
        _clusterId = clusterId;
        _state = restored?.Clone() ?? new FormingState();
        if (_state.Formed is { } formed && _clusterId.Length == 0) _clusterId = formed.ClusterId;
        _durable = _state.Clone();
        _random = random;
        _timing = timing ?? new FormingTiming();
    }

    /// <summary>The cluster that this node knows to exist; empty while it is blank.</summary>
    public string ClusterId => _clusterId;

    /// <summary>What the first agreement fixed, when this node was part of it.</summary>
    public FormedCluster? Formed => _durable.Formed;

    /// <summary>Whether this node's coordinator replica ever applied something, so that a missing log is a lost one.</summary>
    public bool CoordinatorRan => _durable.CoordinatorRan;

    int Expect => (int)_settings.Expect;

    int Majority => Expect / 2 + 1;

    bool IsBlank => _clusterId.Length == 0;

    /// <summary>Time passes.</summary>
    public IReadOnlyList<FormingOutput> Tick(long nowMs)
    {
        _now = nowMs;
        if (IsBlank)
        {
            if (_now >= _nextHello)
            {
                _nextHello = _now + _timing.HelloMs;
                SayHello();
            }

            Advance();
        }

        return Flush();
    }

    /// <summary>A message arrived.</summary>
    public IReadOnlyList<FormingOutput> Receive(FormingMessage message, long nowMs)
    {
        _now = Math.Max(_now, nowMs);
        if (message.From is not null && (message.To == 0 || message.To == _self.Uid)) Handle(message);
        return Flush();
    }

    /// <summary>Everything up to a token is synced.</summary>
    public IReadOnlyList<FormingOutput> Persisted(ulong token, long nowMs)
    {
        _now = Math.Max(_now, nowMs);
        Invariant.Check(token <= _token, $"token {token} was never handed out");
        _durableToken = Math.Max(_durableToken, token);
        while (_writing.TryPeek(out var write) && write.Token <= _durableToken) _durable = _writing.Dequeue().State;
        foreach (var (needed, output) in _held.ToArray())
        {
            if (needed > _durableToken) continue;
            _held.Remove((needed, output));
            Release(needed, output);
        }

        if (IsBlank) Advance();
        return Flush();
    }

    /// <summary>The node belongs to a cluster now (it joined, or it was told that it is a first member).</summary>
    public void Joined(string clusterId) => _clusterId = clusterId;

    /// <summary>A member says that this node is one of the first members and has missed it.</summary>
    public IReadOnlyList<FormingOutput> Adopt(FormedCluster cluster)
    {
        Learn(cluster);
        return Flush();
    }

    /// <summary>The coordinator's replica applied something: kept, see <see cref="CoordinatorRan"/>.</summary>
    public IReadOnlyList<FormingOutput> RecordCoordinatorRan()
    {
        if (_state.CoordinatorRan || _state.Formed is null) return [];
        _state.CoordinatorRan = true;
        Store();
        return Flush();
    }

    public FormingStatus Status()
    {
        var inContact = new List<string> { _self.Name };
        inContact.AddRange(InContact().Select(c => c.Node.Name));
        var missing = new List<string>();
        if (IsBlank && inContact.Count < Expect)
        {
            var addresses = InContact().Select(c => c.Node.Address).Append(_self.Address).ToHashSet(StringComparer.Ordinal);
            missing.AddRange(_seeds.Where(s => !addresses.Contains(s)));
            var more = Expect - inContact.Count - missing.Count;
            if (more > 0) missing.Add(string.Create(CultureInfo.InvariantCulture, $"{more} more of the {Expect} expected nodes"));
        }

        var problems = _refusals.Values.ToList();
        if (_blocked is not null) problems.Add(_blocked);
        var phase = !IsBlank ? FormingPhase.Formed
            : _foundCluster is not null ? FormingPhase.Joining
            : _blocked is not null ? FormingPhase.Blocked
            : inContact.Count < Expect ? FormingPhase.Waiting
            : FormingPhase.Agreeing;
        return new FormingStatus(phase, Expect, inContact, missing, problems);
    }

    // --- contact

    void SayHello()
    {
        var addresses = new SortedSet<string>(_seeds, StringComparer.Ordinal);
        foreach (var contact in _contacts.Values) addresses.Add(contact.Node.Address);
        addresses.Remove(_self.Address);
        foreach (var address in addresses) SendHello(address, 0, false);
    }

    void SendHello(string address, ulong to, bool answer)
    {
        var hello = new FormingHello { Settings = _settings, ClusterId = _clusterId, Answer = answer, Binding = _durable.Binding };
        if (IsBlank) hello.Known.Add(InContact().Select(c => c.Node).Take(MaxContacts));
        _outputs.Add(new SendForming(address, new FormingMessage { From = _self, To = to, Hello = hello }));
    }

    void OnHello(NodeInfo from, FormingHello hello)
    {
        if (from.Uid == _self.Uid) return;
        if (!IsBlank)
        {
            if (hello.ClusterId.Length > 0)
            {
                if (!string.Equals(hello.ClusterId, _clusterId, StringComparison.Ordinal))
                    Refuse(from, $"{from.Name} at {from.Address} belongs to cluster '{hello.ClusterId}', this node to cluster '{_clusterId}'");
            }
            else if (_durable.Formed is { } formed && formed.Members.Any(m => m.Uid == from.Uid))
            {
                Post(from, new FormingMessage { Chosen = new FormingChosen { Value = formed } });
            }
            else if (!hello.Answer)
            {
                SendHello(from.Address, from.Uid, true);
            }

            return;
        }

        if (hello.ClusterId.Length > 0)
        {
            _foundCluster = hello.ClusterId;
            _contacts.Remove(from.Uid);
            _outputs.Add(new ClusterFound(hello.ClusterId, from.Address));
            return;
        }

        if (!hello.Answer) SendHello(from.Address, from.Uid, true);
        if (Difference(hello.Settings) is { } difference)
        {
            _contacts.Remove(from.Uid);
            Refuse(from, $"{from.Name} at {from.Address} {difference}: give all nodes of one cluster the same");
            return;
        }

        _refusals.Remove(from.Uid);

        // Another uid at a known address: the node that was there lost its disk.
        foreach (var stale in _contacts.Values.Where(c => c.Node.Uid != from.Uid && c.Node.Address == from.Address).ToArray())
            _contacts.Remove(stale.Node.Uid);
        if (_contacts.Count >= MaxContacts && !_contacts.ContainsKey(from.Uid)) return;
        _contacts[from.Uid] = new Contact(from, hello.Binding, _now);
        foreach (var other in hello.Known)
        {
            if (other.Uid == _self.Uid || other.Address == _self.Address || _contacts.Count >= MaxContacts) continue;
            if (_contacts.Values.All(c => c.Node.Address != other.Address) && !_seeds.Contains(other.Address))
                SendHello(other.Address, other.Uid, false);
        }

        Advance();
    }

    string? Difference(FormingSettings other)
    {
        if (other.Expect != _settings.Expect) return $"has --expect {other.Expect}, this node has --expect {_settings.Expect}";
        if (other.Partitions != _settings.Partitions) return $"has --partitions {other.Partitions}, this node has --partitions {_settings.Partitions}";
        return other.ReplicationFactor != _settings.ReplicationFactor
            ? $"has --replication-factor {other.ReplicationFactor}, this node has --replication-factor {_settings.ReplicationFactor}"
            : null;
    }

    void Refuse(NodeInfo peer, string message)
    {
        if (_refusals.Count >= MaxContacts || (_refusals.TryGetValue(peer.Uid, out var known) && known == message)) return;
        _refusals[peer.Uid] = message;
        _outputs.Add(new FormingRefused(peer, message));
    }

    IEnumerable<Contact> InContact() => _contacts.Values.Where(c => _now - c.HeardAt <= _timing.ContactMs);

    // --- output

    void Post(NodeInfo to, FormingMessage message)
    {
        message.From = _self;
        message.To = to.Uid;
        if (to.Uid == _self.Uid) _toSelf.Enqueue(message);
        else _outputs.Add(new SendForming(to.Address, message));
    }

    /// <summary>Sends once everything stored so far is synced.</summary>
    void PostDurably(NodeInfo to, FormingMessage message)
    {
        message.From = _self;
        message.To = to.Uid;
        Hold(new SendForming(to.Address, message));
    }

    void Hold(FormingOutput output)
    {
        if (_durableToken >= _token) Release(_token, output);
        else _held.Add((_token, output));
    }

    void Release(ulong needed, FormingOutput output)
    {
        Invariant.Check(needed <= _durableToken, $"released at {_durableToken} what depends on {needed}: a promise must be synced before it is given");
        switch (output)
        {
            case SendForming { Message: var message } when message.To == _self.Uid:
                _toSelf.Enqueue(message);
                break;
            case ClusterFormed formed:
                _clusterId = formed.Cluster.ClusterId;
                _outputs.Add(output);
                foreach (var member in formed.Cluster.Members)
                    if (member.Uid != _self.Uid) Post(member, new FormingMessage { Chosen = new FormingChosen { Value = formed.Cluster } });
                break;
            default:
                _outputs.Add(output);
                break;
        }
    }

    void Store()
    {
        var copy = _state.Clone();
        _token++;
        _writing.Enqueue((_token, copy));
        _outputs.Add(new PersistForming(_token, copy));
    }

    IReadOnlyList<FormingOutput> Flush()
    {
        while (_toSelf.TryDequeue(out var message)) Handle(message);
        if (_outputs.Count == 0) return [];
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        return outputs;
    }

    sealed record Contact(NodeInfo Node, FormingBinding? Binding, long HeardAt);
}
