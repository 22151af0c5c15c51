using System.Collections.Concurrent;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using Proto;

namespace ActorCluster.Client.Routing;

/// <summary>
/// Where virtual actors live: asked of any node, remembered until one is refused or does not answer. The KV actor of a
/// partition is remembered once for all its keys.
/// </summary>
sealed class Locator(MemberCalls calls, int capacity, TimeSpan timeout, TimeProvider time)
{
    /// <summary>The actor that every node answers <see cref="Locate"/> with.</summary>
    const string Actor = "grains";

    // A refused place stays, so that the next question can say what was refused.
    readonly LruCache<string, (Located Place, bool IsRefused)> _known = new(capacity);
    readonly ConcurrentDictionary<string, Lazy<Task<Located>>> _asking = new(StringComparer.Ordinal);

    /// <summary>Its place, or a <see cref="Located.Failure"/>; many callers at once share one question.</summary>
    /// <exception cref="NotExecutedException">No node answered.</exception>
    public async Task<Located> FindAsync(Target target, CancellationToken ct)
    {
        if (_known.TryGet(target.CacheKey, out var known) && !known.IsRefused) return known.Place;
        var asking = _asking.GetOrAdd(target.CacheKey, static (_, at) => new Lazy<Task<Located>>(() => at.Locator.AskAsync(at.Target)), (Locator: this, Target: target));
        return await asking.Value.WaitAsync(ct);
    }

    /// <summary>The place did not answer or refused: ask again, unless somebody already has.</summary>
    public void Refuse(Target target, Located stale) =>
        _known.ReplaceIf(target.CacheKey, known => known.Place.Id == stale.Id && known.Place.Address == stale.Address, known => (known.Place, true));

    /// <summary>A node was lost: what lived there lives elsewhere by now, or will soon.</summary>
    public void RefuseAllAt(string address) => _known.ReplaceWhere(known => known.Place.Address == address, known => (known.Place, true));

    public static PID PidOf(Located located) => PID.FromAddress(located.Address, located.Id);

    async Task<Located> AskAsync(Target target)
    {
        // Leave the caller's stack first, so that the question is in the table before it can end.
        await Task.Yield();
        try
        {
            using var deadline = new CancellationTokenSource(timeout, time);
            var question = new Locate { Kind = target.Kind, Identity = target.Identity, Refused = _known.TryGet(target.CacheKey, out var refused) ? refused.Place.Epoch : null };
            var located = await calls.AskAsync<Located>(Actor, question, deadline.Token);
            if (located.Failure is null || located.Failure.Code == ErrorCode.None) _known.Set(target.CacheKey, (located, false));
            else calls.Directory.TurnToNext(); // it may be cut off from the others without knowing
            return located;
        }
        finally
        {
            _asking.TryRemove(target.CacheKey, out _);
        }
    }
}
