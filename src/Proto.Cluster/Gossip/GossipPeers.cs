namespace Proto.Cluster.Gossip;

/// <summary>
/// Whom the next round may tell: nobody who has not answered yet, and one that failed only after some rounds, twice as many after each
/// failure. Not safe for concurrent use.
/// </summary>
sealed class GossipPeers(Func<double> random)
{
    const int MaxRoundsToSkip = 16;

    readonly SortedDictionary<string, Peer> _peers = new(StringComparer.Ordinal);

    public IEnumerable<string> Ids => _peers.Keys;

    public void SetMembers(IReadOnlySet<string> peerIds)
    {
        foreach (var gone in _peers.Keys.Where(id => !peerIds.Contains(id)).ToArray()) _peers.Remove(gone);
        foreach (var id in peerIds) _peers.TryAdd(id, new Peer());
    }

    /// <summary>Would a later round, if not the next one, choose anybody whose answer is not waited for?</summary>
    public bool AnyFree(Func<string, bool> hasNews) => _peers.Any(peer => !peer.Value.Asked && hasNews(peer.Key));

    /// <summary>At most so many of those for whom there is news, drawn at random; they count as asked.</summary>
    public IReadOnlyList<string> ChooseForRound(int fanout, Func<string, bool> hasNews)
    {
        var candidates = new List<string>();
        foreach (var (id, peer) in _peers)
        {
            if (peer.RoundsToSkip > 0) peer.RoundsToSkip--;
            else if (!peer.Asked && hasNews(id)) candidates.Add(id);
        }

        var count = Math.Min(fanout, candidates.Count);
        for (var i = 0; i < count; i++)
        {
            var drawn = i + (int)(random() * (candidates.Count - i));
            (candidates[i], candidates[drawn]) = (candidates[drawn], candidates[i]);
            _peers[candidates[i]].Asked = true;
        }

        return candidates.GetRange(0, count);
    }

    /// <summary>It answered, or asked by itself: it is there.</summary>
    public void Heard(string peerId)
    {
        if (!_peers.TryGetValue(peerId, out var peer)) return;
        peer.Failures = 0;
        peer.RoundsToSkip = 0;
        peer.Rejects = false;
    }

    public void Answered(string peerId)
    {
        if (_peers.TryGetValue(peerId, out var peer)) peer.Asked = false;
        Heard(peerId);
    }

    public void Failed(string peerId)
    {
        if (!_peers.TryGetValue(peerId, out var peer)) return;
        peer.Asked = false;
        peer.RoundsToSkip = Math.Min(1 << Math.Min(peer.Failures++, 10), MaxRoundsToSkip);
    }

    /// <summary>It says that this member is none; true when a majority of all, this one included in the count, says so.</summary>
    public bool Rejected(string peerId)
    {
        Failed(peerId);
        if (_peers.TryGetValue(peerId, out var peer)) peer.Rejects = true;
        return _peers.Values.Count(other => other.Rejects) > (_peers.Count + 1) / 2;
    }

    sealed class Peer
    {
        public bool Asked { get; set; }

        public bool Rejects { get; set; }

        public int Failures { get; set; }

        public int RoundsToSkip { get; set; }
    }
}
