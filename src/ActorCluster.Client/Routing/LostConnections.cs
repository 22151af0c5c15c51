using System.Collections.Concurrent;
using Proto;
using Proto.Remote;

namespace ActorCluster.Client.Routing;

/// <summary>Ends the waiting of requests whose node was lost: their reply cannot come any more, and another node may be asked at once.</summary>
sealed class LostConnections
{
    readonly ConcurrentDictionary<string, CancellationTokenSource> _byAddress = new(StringComparer.Ordinal);

    public LostConnections(ActorSystem system) => system.EventStream.Subscribe<EndpointTerminatedEvent>(Lost);

    /// <summary>Cancelled when the connection to the address is lost, and its node does not answer at once again.</summary>
    public CancellationToken TokenOf(string address) => _byAddress.GetOrAdd(address, static _ => new CancellationTokenSource()).Token;

    void Lost(EndpointTerminatedEvent terminated)
    {
        // Off the publisher's thread: the callbacks complete requests.
        if (terminated.Address is { } address && _byAddress.TryRemove(address, out var lost)) _ = lost.CancelAsync();
    }
}
