namespace Proto.Cluster.Placement;

/// <summary>
/// Rendezvous hashing (Thaler, Ravishankar 1998): every member is scored with the identity and the highest score owns it. A member
/// that leaves moves only what it owned. Score and hash are stable across processes: every node computes the same owner.
/// </summary>
sealed class Rendezvous
{
    readonly ulong[] _hashes;

    /// <param name="members">The candidates, in an order that all nodes share: of equal scores the first wins.</param>
    public Rendezvous(IReadOnlyList<Member> members)
    {
        Members = [.. members];
        _hashes = [.. members.Select(member => Hash(member.Id, 0))];
    }

    public Member[] Members { get; }

    /// <summary>The owner's place in <see cref="Members"/>; -1 when there are none.</summary>
    public int OwnerOf(ClusterIdentity identity)
    {
        var key = Hash(identity.Identity, Hash(identity.Kind, 0));
        var owner = -1;
        ulong highest = 0;
        for (var i = 0; i < _hashes.Length; i++)
        {
            var score = Mix(key ^ _hashes[i]);
            if (owner < 0 || score > highest) (owner, highest) = (i, score);
        }

        return owner;
    }

    /// <summary>FNV-1a over UTF-16 code units, 64 bits.</summary>
    static ulong Hash(string text, ulong seed)
    {
        var hash = 14695981039346656037UL ^ seed;
        foreach (var unit in text) hash = (hash ^ unit) * 1099511628211UL;
        return Mix(hash);
    }

    /// <summary>The finaliser of MurmurHash3: without it scores of similar names would not be independent.</summary>
    static ulong Mix(ulong hash)
    {
        hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdUL;
        hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53UL;
        return hash ^ hash >> 33;
    }
}
