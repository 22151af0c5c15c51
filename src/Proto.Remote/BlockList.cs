using System.Collections.Immutable;

namespace Proto.Remote;

/// <summary>
/// Systems whose connections this one refuses. Filled by decisions made here (<see cref="Block"/>) and never from what others say:
/// a received list blocks nobody. An entry ends after an hour.
/// </summary>
public class BlockList
{
    const int MaxEntries = 4096;
    static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    readonly ActorSystem _system;
    readonly TimeProvider _time;
    readonly Lock _gate = new();
    ImmutableDictionary<string, long> _blockedAt = ImmutableDictionary.Create<string, long>(StringComparer.Ordinal);

    public BlockList(ActorSystem system)
    {
        _system = system;
        _time = system.Config.TimeProvider;
    }

    public ImmutableHashSet<string> BlockedMembers
    {
        get
        {
            var members = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
            foreach (var (memberId, blockedAt) in _blockedAt)
            {
                if (IsInForce(blockedAt)) members.Add(memberId);
            }

            return members.ToImmutable();
        }
    }

    public bool IsBlocked(string memberId) => _blockedAt.TryGetValue(memberId, out var blockedAt) && IsInForce(blockedAt);

    /// <summary>Refuses the system from now on; publishes <see cref="MemberBlocked"/>.</summary>
    public void Block(string memberId, string reason)
    {
        lock (_gate)
        {
            if (IsBlocked(memberId)) return;
            var remaining = _blockedAt.Count < MaxEntries ? _blockedAt : WithoutEnded();
            _blockedAt = remaining.SetItem(memberId, _time.GetTimestamp());
        }

        _system.EventStream.Publish(new MemberBlocked(memberId, reason));
    }

    bool IsInForce(long blockedAt) => _time.GetElapsedTime(blockedAt) < Lifetime;

    ImmutableDictionary<string, long> WithoutEnded()
    {
        var kept = _blockedAt.RemoveRange(_blockedAt.Where(entry => !IsInForce(entry.Value)).Select(entry => entry.Key));
        return kept.Count < MaxEntries ? kept : kept.Remove(kept.MinBy(entry => entry.Value).Key);
    }
}
