using OpenTelemetry;
using OpenTelemetry.Metrics;
using Proto.OpenTelemetry;

namespace Proto.Actor.Tests.Tracing;

public sealed class MetricsExportTests
{
    [Fact]
    public async Task A_meter_provider_collects_the_engines_instruments_with_fitting_buckets()
    {
        var exporter = new Exporter();
        using var provider = Sdk.CreateMeterProviderBuilder().AddProtoActorInstrumentation().AddReader(new BaseExportingMetricReader(exporter)).Build();
        await using var system = TestSystem.Create(config => config.WithMetrics());
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        // The turn is measured when it has ended, after its reply.
        await Probe.Within(system.Root.StopAsync(pid));

        provider.ForceFlush();

        Assert.Contains("protoactor_actor_spawn_count", exporter.Seen.Keys);
        // Seconds: the exporter's default buckets, which are meant for milliseconds, would put all turns into one.
        Assert.True(exporter.Seen["protoactor_actor_messagereceive_duration"] <= 0.001);
    }

    private sealed class Exporter : BaseExporter<Metric>
    {
        /// <summary>By instrument, the bound of its first bucket (0: no histogram).</summary>
        public Dictionary<string, double> Seen { get; } = [];

        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (var metric in batch)
            {
                Seen[metric.Name] = 0;
                if (metric.MetricType != MetricType.Histogram) continue;

                foreach (var point in metric.GetMetricPoints())
                {
                    foreach (var bucket in point.GetHistogramBuckets())
                    {
                        Seen[metric.Name] = bucket.ExplicitBound;
                        break;
                    }
                }
            }

            return ExportResult.Success;
        }
    }
}
