using System.Diagnostics.Metrics;

namespace Proto.Cluster;

/// <summary>Instruments of virtual actors (meter <c>Proto.Cluster</c>), tagged with the system's id and address. Costs nothing while off.</summary>
public sealed class ClusterMetrics
{
    public const string MeterName = "Proto.Cluster";

    static readonly Meter Instruments = new(MeterName);
    static readonly Histogram<double> SpawnDuration = Seconds("protocluster_virtualactor_spawn_duration");
    static readonly Histogram<double> RequestDuration = Seconds("protocluster_virtualactor_requestasync_duration");
    static readonly Histogram<double> ResolveDuration = Seconds("protocluster_resolve_pid_duration");
    static readonly Histogram<double> WaitForActivationDuration = Seconds("protocluster_identity_wait_for_activation_duration");
    static readonly Histogram<double> GlobalLockDuration = Seconds("protocluster_identity_get_with_global_lock_duration");
    static readonly Histogram<double> AcquireLockDuration = Seconds("protocluster_identity_try_acquire_lock_duration");
    static readonly Counter<long> Retries = Instruments.CreateCounter<long>("protocluster_virtualactor_requestasync_retry_count");

    readonly ActorSystem _system;
    readonly TimeProvider _time;

    internal ClusterMetrics(ActorSystem system)
    {
        _system = system;
        _time = system.Config.TimeProvider;
    }

    public bool Enabled => _system.Metrics.Enabled;

    KeyValuePair<string, object?> IdTag => new("id", _system.Id);

    KeyValuePair<string, object?> AddressTag => new("address", _system.Address);

    /// <summary>A measurement's begin; meaningless while off.</summary>
    internal long Begin() => Enabled ? _time.GetTimestamp() : 0;

    internal void Spawned(long begin, string kind) => Record(SpawnDuration, begin, kind);

    internal void Resolved(long begin, string kind) => Record(ResolveDuration, begin, kind);

    internal void WaitedForActivation(long begin, string kind) => Record(WaitForActivationDuration, begin, kind);

    internal void GotWithGlobalLock(long begin, string kind) => Record(GlobalLockDuration, begin, kind);

    internal void TriedToAcquireLock(long begin, string kind) => Record(AcquireLockDuration, begin, kind);

    internal void Requested(long begin, string kind, object message, bool fromCache)
    {
        if (!Enabled) return;
        RequestDuration.Record(
            _time.GetElapsedTime(begin).TotalSeconds,
            [IdTag, AddressTag, new("clusterkind", kind), new("messagetype", TypeOf(message)), new("pidsource", fromCache ? "cache" : "lookup")]);
    }

    internal void Retried(string kind, object message)
    {
        if (Enabled) Retries.Add(1, [IdTag, AddressTag, new("clusterkind", kind), new("messagetype", TypeOf(message))]);
    }

    static string TypeOf(object message) => MessageEnvelope.UnwrapMessage(message)!.GetType().Name;

    static Histogram<double> Seconds(string name) => Instruments.CreateHistogram<double>(name, unit: "s");

    void Record(Histogram<double> histogram, long begin, string kind)
    {
        if (Enabled) histogram.Record(_time.GetElapsedTime(begin).TotalSeconds, IdTag, AddressTag, new("clusterkind", kind));
    }
}
