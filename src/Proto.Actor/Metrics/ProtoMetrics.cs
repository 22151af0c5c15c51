using System.Diagnostics.Metrics;

namespace Proto.Metrics;

/// <summary>The engine's instruments (meter <c>Proto.Actor</c>), tagged with the system's id and address. Costs nothing while off.</summary>
public sealed class ProtoMetrics
{
    public const string MeterName = "Proto.Actor";

    // Bounds in seconds, from a microsecond to the default request timeout and beyond.
    private static readonly InstrumentAdvice<double> s_durations = new()
    {
        HistogramBucketBoundaries = [0.000001, 0.00001, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    };

    private static readonly Meter s_meter = new(MeterName);
    private static readonly Counter<long> s_spawned = s_meter.CreateCounter<long>("protoactor_actor_spawn_count");
    private static readonly Counter<long> s_stopped = s_meter.CreateCounter<long>("protoactor_actor_stopped_count");
    private static readonly Counter<long> s_restarted = s_meter.CreateCounter<long>("protoactor_actor_restarted_count");
    private static readonly Counter<long> s_failed = s_meter.CreateCounter<long>("protoactor_actor_failure_count");
    private static readonly Counter<long> s_deadLetters = s_meter.CreateCounter<long>("protoactor_deadletter_count");
    private static readonly Counter<long> s_futuresStarted = s_meter.CreateCounter<long>("protoactor_future_started_count");
    private static readonly Counter<long> s_futuresCompleted = s_meter.CreateCounter<long>("protoactor_future_completed_count");
    private static readonly Counter<long> s_futuresTimedOut = s_meter.CreateCounter<long>("protoactor_future_timedout_count");
    private static readonly Histogram<long> s_mailboxLength = s_meter.CreateHistogram<long>("protoactor_actor_mailbox_length");
    private static readonly Histogram<double> s_receiveDuration =
        s_meter.CreateHistogram<double>("protoactor_actor_messagereceive_duration", unit: "s", advice: s_durations);

    private static readonly Histogram<double> s_threadPoolLatency =
        s_meter.CreateHistogram<double>("protoactor_threadpool_latency_duration", unit: "s", advice: s_durations);

    private readonly ActorSystem _system;

    internal ProtoMetrics(ActorSystem system)
    {
        _system = system;
        Enabled = system.Config.MetricsEnabled;
    }

    public bool Enabled { get; }

    private KeyValuePair<string, object?> IdTag => new("id", _system.Id);

    private KeyValuePair<string, object?> AddressTag => new("address", _system.Address);

    internal void Spawned() => Add(s_spawned);

    internal void Stopped() => Add(s_stopped);

    internal void Restarted() => Add(s_restarted);

    internal void Failed() => Add(s_failed);

    internal void FutureStarted() => Add(s_futuresStarted);

    internal void FutureCompleted() => Add(s_futuresCompleted);

    internal void FutureTimedOut() => Add(s_futuresTimedOut);

    internal void DeadLetter(object message)
    {
        if (Enabled) s_deadLetters.Add(1, IdTag, AddressTag, new("messagetype", message.GetType().Name));
    }

    internal void ThreadPoolWaited(TimeSpan duration)
    {
        if (Enabled) s_threadPoolLatency.Record(duration.TotalSeconds, IdTag, AddressTag);
    }

    internal void Received(object? message, TimeSpan duration, int mailboxLength)
    {
        s_mailboxLength.Record(mailboxLength, IdTag, AddressTag);
        s_receiveDuration.Record(duration.TotalSeconds, IdTag, AddressTag, new("messagetype", message?.GetType().Name));
    }

    private void Add(Counter<long> counter)
    {
        if (Enabled) counter.Add(1, IdTag, AddressTag);
    }
}
