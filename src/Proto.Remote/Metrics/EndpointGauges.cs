using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Proto.Remote.Endpoints;

namespace Proto.Remote;

/// <summary>The endpoints of all systems of this process, for the gauges that are read from outside.</summary>
static class EndpointGauges
{
    static readonly ConcurrentDictionary<EndpointManager, ActorSystem> Managers = [];

    public static void Add(EndpointManager manager, ActorSystem system)
    {
        if (system.Config.MetricsEnabled) Managers[manager] = system;
    }

    public static void Remove(EndpointManager manager) => Managers.TryRemove(manager, out _);

    public static IEnumerable<Measurement<long>> Messages() => Read(static load => load.Messages);

    public static IEnumerable<Measurement<long>> Bytes() => Read(static load => load.Bytes);

    static IEnumerable<Measurement<long>> Read(Func<(int Messages, long Bytes), long> value)
    {
        foreach (var (manager, system) in Managers)
        {
            foreach (var (address, load) in manager.Loads())
                yield return new Measurement<long>(value(load), new("id", system.Id), new("address", system.Address), new("destinationaddress", address));
        }
    }
}
