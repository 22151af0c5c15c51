using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Proto;
using Proto.OpenTelemetry;

namespace Programs;

/// <summary>A request whose spans reach from the caller through two actors.</summary>
public static class Traced
{
    public static async Task RunAsync(TextWriter output)
    {
        var activities = new List<Activity>();
        using var provider = Sdk.CreateTracerProviderBuilder().AddProtoActorInstrumentation().AddProcessor(new SimpleActivityExportProcessor(new Collector(activities))).Build();
        await using var system = new ActorSystem();
        var root = system.Root.WithTracing();
        var inner = root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string) context.Respond(1);
            return Task.CompletedTask;
        }).WithTracing());
        var outer = root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is string text) context.Respond(await context.RequestAsync<int>(inner, text));
        }).WithTracing());

        await root.RequestAsync<int>(outer, "trace me");
        await system.Root.PoisonAsync(outer);
        await system.Root.PoisonAsync(inner);
        lock (activities)
        {
            var ofRequest = activities.Where(a => a.GetTagItem("proto.messagetype") is "String").ToList();
            output.WriteLine($"{(ofRequest.Count >= 4 ? "four spans or more" : $"{ofRequest.Count} spans")} in {ofRequest.Select(a => a.TraceId).Distinct().Count()} trace");
        }
    }

    private class Collector : BaseExporter<Activity>
    {
        private readonly List<Activity> _activities;

        public Collector(List<Activity> activities) => _activities = activities;

        public override ExportResult Export(in Batch<Activity> batch)
        {
            lock (_activities)
            {
                foreach (var activity in batch) _activities.Add(activity);
            }

            return ExportResult.Success;
        }
    }
}
