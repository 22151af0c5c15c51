using System.Collections.Immutable;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Client.Routing;

/// <summary>
/// Whom to ask: the members as last heard, and the seeds. The first candidate is the node that answered last; one that did
/// not answer goes to the end. Safe to call from any thread.
/// </summary>
sealed class MemberDirectory
{
    readonly Lock _gate = new();
    readonly ImmutableArray<string> _seeds;
    ImmutableList<string> _candidates;

    public MemberDirectory(IEnumerable<string> seeds)
    {
        _seeds = [.. seeds.Distinct(StringComparer.Ordinal)];
        if (_seeds.IsEmpty) throw new ArgumentException("a client needs the address (host:port) of at least one node", nameof(seeds));
        _candidates = [.. _seeds];
    }

    /// <summary>Cluster addresses, best first. Never empty.</summary>
    public ImmutableList<string> Candidates
    {
        get
        {
            lock (_gate) return _candidates;
        }
    }

    /// <summary>The node did not answer: it is asked last.</summary>
    public void Failed(string address)
    {
        lock (_gate)
        {
            if (_candidates.Contains(address)) _candidates = _candidates.Remove(address).Add(address);
        }
    }

    /// <summary>The node answered: it is asked first.</summary>
    public void Answered(string address)
    {
        lock (_gate)
        {
            if (_candidates[0] != address && _candidates.Contains(address)) _candidates = _candidates.Remove(address).Insert(0, address);
        }
    }

    /// <summary>Whoever is asked first answered, but could not help: another one is asked next.</summary>
    public void TurnToNext()
    {
        lock (_gate) _candidates = _candidates.Add(_candidates[0]).RemoveAt(0);
    }

    /// <summary>Takes the members that can answer; the order so far stays, and the seeds stay as a last resort.</summary>
    public void Learn(Members members)
    {
        var reachable = members.Members_
            .Where(m => m.State is MemberState.Up or MemberState.Leaving or MemberState.Joining && m.Address.Length > 0)
            .Select(m => m.Address)
            .ToImmutableHashSet(StringComparer.Ordinal);
        if (reachable.IsEmpty) return;
        lock (_gate)
        {
            var kept = _candidates.Where(reachable.Contains);
            var rest = _candidates.Where(c => !reachable.Contains(c) && _seeds.Contains(c));
            _candidates = [.. kept, .. reachable.Except(_candidates).Order(StringComparer.Ordinal), .. rest];
        }
    }
}
