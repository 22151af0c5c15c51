using System.Collections.Concurrent;

namespace ActorCluster.Client.Sessions;

/// <summary>The sessions of this client, one per partition; an expired one is replaced at the next request.</summary>
/// <param name="open">Opens a session with the partition of an identity and returns its id.</param>
/// <param name="window">Most requests in flight per session.</param>
sealed class SessionPool(Func<string, CancellationToken, Task<ulong>> open, int window)
{
    readonly ConcurrentDictionary<uint, Slot> _slots = new();

    public async ValueTask<PartitionSession> GetAsync(uint partition, string identity, CancellationToken ct)
    {
        var slot = _slots.GetOrAdd(partition, static _ => new Slot());
        if (slot.Session is { IsExpired: false } session) return session;
        await slot.One.WaitAsync(ct);
        try
        {
            if (slot.Session is { IsExpired: false } opened) return opened;
            return slot.Session = new PartitionSession(await open(identity, ct), window);
        }
        finally
        {
            slot.One.Release();
        }
    }

    sealed class Slot
    {
        public readonly SemaphoreSlim One = new(1, 1);
        public volatile PartitionSession? Session;
    }
}
