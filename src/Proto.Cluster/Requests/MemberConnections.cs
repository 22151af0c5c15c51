using System.Collections.Concurrent;
using Proto.Remote;

namespace Proto.Cluster;

/// <summary>Tells requests under way that the connection to their member was lost, so that they do not wait for a reply that cannot come.</summary>
sealed class MemberConnections(ISystemRuntime runtime)
{
    readonly ConcurrentDictionary<string, CancellationTokenSource> _byAddress = new(StringComparer.Ordinal);

    public CancellationToken LostToken(string address) =>
        _byAddress.TryGetValue(address, out var known) ? known.Token : _byAddress.GetOrAdd(address, static _ => new CancellationTokenSource()).Token;

    /// <summary>Requests sent from now on get a new token.</summary>
    public void Lost(EndpointTerminatedEvent terminated)
    {
        // Off the publisher's thread: the callbacks complete requests.
        if (terminated.Address is { } address && _byAddress.TryRemove(address, out var lost)) runtime.CancelApart(lost);
    }
}
