using OpenTelemetry.Metrics;

namespace Proto.OpenTelemetry;

public static class OpenTelemetryMetricsExtensions
{
    /// <summary>Collects the <c>protoactor_*</c>, <c>protoremote_*</c> and <c>protocluster_*</c> instruments of systems with <see cref="ActorSystemConfig.WithMetrics"/>.</summary>
    public static MeterProviderBuilder AddProtoActorInstrumentation(this MeterProviderBuilder builder) =>
        builder.AddMeter("Proto.Actor", "Proto.Remote", "Proto.Cluster");
}
