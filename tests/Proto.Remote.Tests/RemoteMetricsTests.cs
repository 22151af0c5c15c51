using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class RemoteMetricsTests
{
    [Fact]
    public async Task Messages_connections_writes_and_spawns_are_counted_with_their_tags()
    {
        using var meters = new Measurements();
        await using var a = await TestNode.StartAsync(systemConfig: new ActorSystemConfig().WithMetrics());
        var b = await TestNode.StartAsync(
            config => config.WithRemoteKind("echo", Props.FromFunc(_ => Task.CompletedTask)), systemConfig: new ActorSystemConfig().WithMetrics());
        b.SpawnEcho();
        var disconnected = meters.First("protoremote_endpoint_disconnected_count", a.System.Id);
        var states = a.Events<EndpointStateChanged>();

        await a.System.Remote().SpawnNamedAsync(b.Address, "mine", "echo", TimeSpan.FromSeconds(30));
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        Assert.Contains(("destinationaddress", b.Address), meters.TagsOf("protoremote_endpoint_connected_count", a.System.Id));
        Assert.Contains(("destinationaddress", b.Address), meters.TagsOf("protoremote_write_duration", a.System.Id));
        Assert.Contains(("kind", "echo"), meters.TagsOf("protoremote_spawn_count", b.System.Id));
        Assert.Contains(("messagetype", "Ping"), meters.TagsOf("protoremote_message_serialize_count", a.System.Id));
        Assert.Contains(("messagetype", "Ping"), meters.TagsOf("protoremote_message_deserialize_count", b.System.Id));
        Assert.Contains(("address", a.Address), meters.TagsOf("protoremote_message_serialize_count", a.System.Id));
        meters.Read();
        Assert.Contains(("destinationaddress", b.Address), meters.TagsOf("protoremote_queue_messages", a.System.Id));
        Assert.Contains(("destinationaddress", b.Address), meters.TagsOf("protoremote_queue_bytes", a.System.Id));

        await b.DisposeAsync();
        await disconnected.WaitAsync(TestNode.Soon());
        Assert.Equal(EndpointState.Connected, (await states.ReadAsync(TestNode.Soon())).State);
    }

    [Fact]
    public async Task A_system_without_metrics_measures_nothing()
    {
        using var meters = new Measurements();
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();

        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        meters.Read();
        Assert.Empty(meters.NamesOf(a.System.Id));
    }

    /// <summary>What the instruments of remoting measured, by the system's id.</summary>
    sealed class Measurements : IDisposable
    {
        readonly MeterListener _listener = new();
        readonly ConcurrentQueue<(string Name, string Id, (string, string)[] Tags)> _seen = [];
        readonly ConcurrentDictionary<(string, string), TaskCompletionSource> _awaited = [];

        public Measurements()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("protoremote_", StringComparison.Ordinal)) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Add(instrument.Name, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument.Name, tags));
            _listener.Start();
        }

        public Task First(string name, string id) =>
            _awaited.GetOrAdd((name, id), static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public void Read() => _listener.RecordObservableInstruments();

        public IEnumerable<(string, string)> TagsOf(string name, string id) =>
            _seen.Where(seen => seen.Name == name && seen.Id == id).SelectMany(seen => seen.Tags);

        public IEnumerable<string> NamesOf(string id) => _seen.Where(seen => seen.Id == id).Select(seen => seen.Name);

        public void Dispose() => _listener.Dispose();

        void Add(string name, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().Select(tag => (tag.Key, $"{tag.Value}")).ToArray();
            var id = all.FirstOrDefault(tag => tag.Key == "id").Item2 ?? "";
            _seen.Enqueue((name, id, all));
            if (_awaited.TryGetValue((name, id), out var awaited)) awaited.TrySetResult();
        }
    }
}
