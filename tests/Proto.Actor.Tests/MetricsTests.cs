using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Proto.Actor.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task Instruments_count_what_happens_with_the_systems_id()
    {
        await using var system = TestSystem.Create(config => config.WithMetrics());
        var counts = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == ProtoMetrics.MeterName) self.EnableMeasurementEvents(instrument);
        };
        void Count(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag.Key == "id" && system.Id.Equals(tag.Value)) counts.AddOrUpdate(instrument.Name, 1, (_, count) => count + 1);
            }
        }

        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Count(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Count(instrument, tags));
        listener.Start();

        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "fail") throw new InvalidOperationException("asked to fail");
            return Task.CompletedTask;
        }));
        system.Root.Send(pid, "fail");
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        await Probe.Within(system.Root.StopAsync(pid));
        system.Root.Send(pid, "late");

        Assert.Equal(1, counts["protoactor_actor_spawn_count"]);
        Assert.Equal(1, counts["protoactor_actor_failure_count"]);
        Assert.Equal(1, counts["protoactor_actor_restarted_count"]);
        Assert.Equal(1, counts["protoactor_actor_stopped_count"]);
        Assert.Equal(1, counts["protoactor_deadletter_count"]);
        Assert.Equal(2, counts["protoactor_future_started_count"]);
        Assert.Equal(2, counts["protoactor_future_completed_count"]);
        Assert.Equal(1, counts["protoactor_actor_messagereceive_duration"]);
        Assert.Equal(1, counts["protoactor_actor_mailbox_length"]);
    }
}
