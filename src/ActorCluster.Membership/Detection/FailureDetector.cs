using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Membership;

/// <summary>
/// Finds out who does not answer, as SWIM does (Das, Gupta, Motivala, 2002): in each period a member is probed; if half the
/// period passes without an answer, also through others. A member that missed several periods in a row is observed as
/// Unreachable; small clusters probe everybody in each period. It only observes: that the subject is well again is for
/// the subject to say, and removing it is for the coordinator.
/// <para>
/// A node that was itself asleep or starved (Lifeguard, Dadgar et al. 2018) blames nobody: a period in which its own clock
/// jumped counts for nothing.
/// </para>
/// </summary>
public sealed class FailureDetector(NodeUid self, string selfName, IRandomSource random, DetectorOptions? options = null)
{
    readonly DetectorOptions _options = options ?? new DetectorOptions();
    readonly SortedDictionary<ulong, Target> _targets = [];
    readonly List<DetectorOutput> _outputs = [];
    readonly Queue<ulong> _order = new();
    ulong _sequence;
    long _lastTick = long.MinValue;
    long _periodStart = long.MinValue;
    bool _relayed;
    bool _starved;

    /// <summary>Periods that counted for nothing because this node itself was late.</summary>
    public long StarvedPeriods { get; private set; }

    /// <summary>Whom to watch: all standing members but this node. A newer incarnation begins with a clean sheet.</summary>
    public void SetMembers(IEnumerable<Member> members)
    {
        var standing = members.Where(m => m.Uid != self && m.State != MemberState.Removed).ToDictionary(m => m.Uid.Value);
        foreach (var gone in _targets.Keys.Where(uid => !standing.ContainsKey(uid)).ToArray()) _targets.Remove(gone);
        foreach (var (uid, member) in standing)
        {
            if (!_targets.TryGetValue(uid, out var target)) _targets[uid] = target = new Target(uid);
            target.Name = member.Name;
            target.Address = member.Address;
            var observed = member.State == MemberState.Unreachable;
            if ((target.Observed && !observed) || (target.Suspected && !member.Suspected && !observed)) target.Misses = 0; // it refuted
            target.Observed = observed;
            target.Suspected = member.Suspected;
            if (member.Incarnation > target.Incarnation)
            {
                target.Incarnation = member.Incarnation;
                target.Misses = 0;
                target.Probed = false;
            }
        }
    }

    /// <summary>The member said something else (it refuted, it gossips): the misses so far are void.</summary>
    public void Alive(NodeUid subject, ulong incarnation, long nowMs)
    {
        if (!_targets.TryGetValue(subject.Value, out var target) || incarnation < target.Incarnation) return;
        target.Misses = 0;
        target.Answered = true;
        target.LastAnswer = nowMs;
    }

    /// <summary>When a member last answered, or null.</summary>
    public long? LastAnswer(NodeUid subject) => _targets.TryGetValue(subject.Value, out var target) && target.LastAnswer > long.MinValue ? target.LastAnswer : null;

    /// <summary>Misses in a row of a member.</summary>
    public int MissesOf(NodeUid subject) => _targets.TryGetValue(subject.Value, out var target) ? target.Misses : 0;

    /// <summary>Time passes. To be called several times in a period.</summary>
    public IReadOnlyList<DetectorOutput> Tick(long nowMs)
    {
        if (_lastTick != long.MinValue && nowMs - _lastTick > _options.ProbeMs) _starved = true;
        _lastTick = nowMs;
        if (_periodStart == long.MinValue || nowMs - _periodStart >= _options.ProbeMs)
        {
            EndPeriod(nowMs);
            BeginPeriod(nowMs);
        }
        else if (!_relayed && nowMs - _periodStart >= _options.ProbeMs / 2)
        {
            ProbeThroughOthers();
        }

        return Flush();
    }

    /// <summary>An answer arrived.</summary>
    public IReadOnlyList<DetectorOutput> Receive(ProbeAck ack, long nowMs)
    {
        if (!_targets.TryGetValue(ack.Subject, out var target) || ack.Incarnation < target.Incarnation) return [];
        if (ack.Sequence < target.PreviousSequence) return []; // from before the period that was judged last
        Alive(new NodeUid(ack.Subject), ack.Incarnation, nowMs);
        _outputs.Add(new Answered(new NodeUid(ack.Subject), ack.Incarnation));
        return Flush();
    }

    void EndPeriod(long nowMs)
    {
        if (_starved) StarvedPeriods++;
        foreach (var target in _targets.Values)
        {
            if (!target.Probed) continue;
            target.Probed = false;
            if (target.Answered || _starved) continue;
            target.Misses++;
            if (target.Misses >= _options.Misses)
            {
                if (!target.Observed) _outputs.Add(new Observed(new NodeUid(target.Uid), target.Incarnation, Reachability.ObservedUnreachable, Evidence(target, nowMs)));
            }
            else if (target.Misses == _options.Misses - 1)
            {
                _outputs.Add(new Observed(new NodeUid(target.Uid), target.Incarnation, Reachability.Suspected, Evidence(target, nowMs)));
            }
        }

        _starved = false;
    }

    void BeginPeriod(long nowMs)
    {
        _periodStart = nowMs;
        _relayed = false;
        foreach (var target in Choose())
        {
            target.PreviousSequence = target.Sequence;
            target.Sequence = ++_sequence;
            target.Probed = true;
            target.Answered = false;
            target.Relays = "";
            _outputs.Add(new SendProbe(target.Address, new Probe { From = self.Value, To = target.Uid, Sequence = target.Sequence }));
        }
    }

    /// <summary>Everybody in a small cluster; else the next of a random order, and whoever missed the last period.</summary>
    List<Target> Choose()
    {
        if (_targets.Count <= _options.ProbeAllUpTo) return [.. _targets.Values];
        var chosen = _targets.Values.Where(t => t.Misses > 0).ToList();
        while (chosen.Count < _targets.Count)
        {
            if (_order.Count == 0) Shuffle();
            if (!_targets.TryGetValue(_order.Dequeue(), out var next) || chosen.Contains(next)) continue;
            chosen.Add(next);
            break;
        }

        return chosen;
    }

    void Shuffle()
    {
        var uids = _targets.Keys.ToList();
        while (uids.Count > 0)
        {
            var index = random.Next(uids.Count);
            _order.Enqueue(uids[index]);
            uids.RemoveAt(index);
        }
    }

    void ProbeThroughOthers()
    {
        _relayed = true;
        foreach (var target in _targets.Values)
        {
            if (!target.Probed || target.Answered) continue;
            var relays = _targets.Values.Where(t => t != target && t.Misses == 0 && !t.Observed).ToList();
            while (relays.Count > _options.Relays) relays.RemoveAt(random.Next(relays.Count));
            target.Relays = string.Join(", ", relays.Select(r => r.Name));
            foreach (var relay in relays)
            {
                _outputs.Add(new SendIndirectProbe(relay.Address, new IndirectProbe
                {
                    From = self.Value,
                    Target = target.Uid,
                    TargetAddress = target.Address,
                    Sequence = target.Sequence,
                }));
            }
        }
    }

    string Evidence(Target target, long nowMs)
    {
        var through = target.Relays.Length > 0 ? $"directly and through {target.Relays}" : "directly; nobody else to probe through";
        var last = target.LastAnswer > long.MinValue
            ? string.Create(CultureInfo.InvariantCulture, $"last answer {nowMs - target.LastAnswer} ms ago")
            : "never answered";
        return string.Create(CultureInfo.InvariantCulture,
            $"{selfName} probed {target.Name} at {target.Address}: {target.Misses} of {_options.Misses} periods of {_options.ProbeMs} ms missed in a row, {through}; {last}");
    }

    IReadOnlyList<DetectorOutput> Flush()
    {
        if (_outputs.Count == 0) return [];
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        return outputs;
    }

    sealed class Target(ulong uid)
    {
        public ulong Uid { get; } = uid;
        public string Name { get; set; } = "";
        public string Address { get; set; } = "";
        public ulong Incarnation { get; set; }
        public int Misses { get; set; }
        public bool Probed { get; set; }
        public bool Answered { get; set; }
        public bool Observed { get; set; }
        public bool Suspected { get; set; }
        public ulong Sequence { get; set; }
        public ulong PreviousSequence { get; set; }
        public long LastAnswer { get; set; } = long.MinValue;
        public string Relays { get; set; } = "";
    }
}
