using System.Collections.Concurrent;
using Proto;
using Proto.Remote;

namespace ActorCluster.Client.Routing;

/// <summary>Ends the waiting of requests whose node was lost: their reply cannot come any more, and another node may be asked at once.</summary>
sealed class LostConnections
{
    readonly ConcurrentDictionary<string, CancellationTokenSource> _byAddress = new(StringComparer.Ordinal);

    public LostConnections(ActorSystem system) => system.EventStream.Subscribe<EndpointTerminatedEvent>(Lost);

    /// <summary>Called with the address of a node that was lost, before the requests that wait for it end.</summary>
    public event Action<string>? NodeLost;

    /// <summary>Cancelled when the connection to the address is lost, and its node does not answer at once again.</summary>
    public CancellationToken TokenOf(string address) => _byAddress.GetOrAdd(address, static _ => new CancellationTokenSource()).Token;

    void Lost(EndpointTerminatedEvent terminated)
    {
        if (terminated.Address is not { } address) return;
        NodeLost?.Invoke(address);
        // Off the publisher's thread: the callbacks complete requests.
        if (_byAddress.TryRemove(address, out var lost)) _ = lost.CancelAsync();
    }
}
