namespace Proto.Cluster.PartitionActivator;

/// <summary>
/// Rendezvous hashing (Thaler, Ravishankar 1998): every member is scored with the identity and the highest score owns it. A member
/// that leaves moves only what it owned. Score and hash are stable across processes: every node computes the same owner.
/// </summary>
static class Rendezvous
{
    /// <summary>The owner among the members; null when there are none.</summary>
    public static Member? OwnerOf(ClusterIdentity identity, Member[] members)
    {
        var key = Hash(identity.Identity, Hash(identity.Kind, 0));
        Member? owner = null;
        ulong highest = 0;
        foreach (var member in members)
        {
            var score = Mix(key ^ Hash(member.Id, 0));
            if (owner is not null && (score < highest || score == highest && string.CompareOrdinal(member.Id, owner.Id) < 0)) continue;
            (owner, highest) = (member, score);
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
