using System.Diagnostics.Metrics;
using Proto.Remote.Wire;

namespace Proto.Remote;

/// <summary>Remoting's instruments (meter <c>Proto.Actor</c>), tagged with the system's id and address. Costs nothing while nobody listens.</summary>
sealed class RemoteMetrics(ActorSystem system)
{
    static readonly Meter Meter = new("Proto.Actor");

    static readonly Histogram<double> WriteDuration = Meter.CreateHistogram<double>(
        "protoremote_write_duration", "s", "Time until the transport took a round of batches; long when the peer reads slowly");

    static readonly Counter<long> Spawns = Meter.CreateCounter<long>("protoremote_spawn_count", description: "Actors spawned for other systems");

    static readonly Counter<long> Serialize = Meter.CreateCounter<long>("protoremote_message_serialize_count");

    static readonly Counter<long> Deserialize = Meter.CreateCounter<long>("protoremote_message_deserialize_count");

    static readonly Counter<long> Connected = Meter.CreateCounter<long>("protoremote_endpoint_connected_count");

    static readonly Counter<long> Disconnected = Meter.CreateCounter<long>("protoremote_endpoint_disconnected_count");

    static RemoteMetrics()
    {
        Meter.CreateObservableGauge(
            "protoremote_queue_messages", EndpointGauges.Messages, description: "Messages that wait for one address, or are in flight to it");
        Meter.CreateObservableGauge("protoremote_queue_bytes", EndpointGauges.Bytes, "By", "About the size on the wire of those messages");
    }

    public bool CountsSerialized => Serialize.Enabled && system.Config.MetricsEnabled;

    public bool CountsDeserialized => Deserialize.Enabled && system.Config.MetricsEnabled;

    public bool MeasuresWrites => WriteDuration.Enabled && system.Config.MetricsEnabled;

    KeyValuePair<string, object?> Id => new("id", system.Id);

    KeyValuePair<string, object?> Address => new("address", system.Address);

    public void Serialized(ReadOnlySpan<OutgoingMessage> messages)
    {
        foreach (ref readonly var message in messages)
        {
            if (!message.IsRefused) Serialize.Add(1, Id, Address, new("messagetype", message.Message.GetType().Name));
        }
    }

    public void Deserialized(object message) => Deserialize.Add(1, Id, Address, new("messagetype", message.GetType().Name));

    public void Written(string destination, TimeSpan duration) =>
        WriteDuration.Record(duration.TotalSeconds, Id, Address, new("destinationaddress", destination));

    public void Spawned(string kind)
    {
        if (Spawns.Enabled && system.Config.MetricsEnabled) Spawns.Add(1, Id, Address, new("kind", kind));
    }

    public void EndpointConnected(string destination)
    {
        if (Connected.Enabled && system.Config.MetricsEnabled) Connected.Add(1, Id, Address, new("destinationaddress", destination));
    }

    public void EndpointDisconnected(string destination)
    {
        if (Disconnected.Enabled && system.Config.MetricsEnabled) Disconnected.Add(1, Id, Address, new("destinationaddress", destination));
    }
}
