namespace Proto.Cluster.Placement;

/// <summary>
/// What the other members of the current topology have said about what they hold of this member's identities. Invariant: an answer counts for
/// the round that asked for it, and every change of the topology begins another round; so who answered has seen this topology, and starts
/// nothing of what it gives to this member until that changes again.
/// </summary>
sealed class HandOver
{
    readonly Dictionary<string, Peer> _unsettled = new(StringComparer.Ordinal);

    /// <summary>A member that has not answered, or still holds something.</summary>
    public sealed class Peer(Member member, bool isNewcomer)
    {
        public Member Member { get; } = member;

        /// <summary>It was not part of the last topology in which everybody had answered.</summary>
        public bool IsNewcomer { get; } = isNewcomer;

        /// <summary>Answers that settled nothing, in a row.</summary>
        public int Attempts { get; set; }

        /// <summary>When it was first asked, or last logged.</summary>
        public long Waiting { get; set; }

        /// <summary>What it holds, as far as it has said; null before its first answer is complete.</summary>
        public HashSet<ClusterIdentity>? Held { get; set; }
    }

    public int Round { get; private set; }

    public bool IsOver => _unsettled.Count == 0;

    public IEnumerable<Member> Unsettled => _unsettled.Values.Select(peer => peer.Member);

    /// <summary>A new topology: everybody in it is asked again.</summary>
    public IReadOnlyList<Peer> Begin(IEnumerable<Member> others, Func<Member, bool> isNewcomer)
    {
        Round++;
        _unsettled.Clear();
        foreach (var member in others) _unsettled.Add(member.Id, new Peer(member, isNewcomer(member)));
        return [.. _unsettled.Values];
    }

    public void Settle(Peer peer) => _unsettled.Remove(peer.Member.Id);

    /// <summary>The member because of which the identity must not be started yet, and whether it is known to hold it; null when there is none.</summary>
    /// <param name="identity">An identity of this member's.</param>
    /// <param name="wasMine">
    /// It was this member's already in the last topology in which everybody had answered. They held nothing of it, and have no right to it
    /// since: only newcomers can.
    /// </param>
    public (Member Member, bool Holds)? Obstacle(ClusterIdentity identity, bool wasMine)
    {
        foreach (var peer in _unsettled.Values)
        {
            if (wasMine && !peer.IsNewcomer) continue;
            if (peer.Held is null) return (peer.Member, false);
            if (peer.Held.Contains(identity)) return (peer.Member, true);
        }

        return null;
    }
}
