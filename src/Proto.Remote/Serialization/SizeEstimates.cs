using System.Collections.Concurrent;

namespace Proto.Remote;

/// <summary>
/// How large messages are whose size is known only when they are serialised: by type, what was measured lately, rather too much than too little.
/// It grows at once and shrinks slowly.
/// </summary>
sealed class SizeEstimates
{
    sealed class Estimate
    {
        public volatile int Bytes;
    }

    readonly ConcurrentDictionary<Type, Estimate> _byType = [];

    /// <summary>Zero is an answer; null: no message of the type has been measured.</summary>
    public int? Of(Type type) => _byType.TryGetValue(type, out var estimate) ? estimate.Bytes : null;

    public void Measured(Type type, int bytes)
    {
        var estimate = _byType.GetOrAdd(type, static _ => new Estimate());
        var before = estimate.Bytes;
        // Writers may overwrite each other: it is an estimate.
        estimate.Bytes = bytes >= before ? bytes : before - (before - bytes + 7) / 8;
    }
}
