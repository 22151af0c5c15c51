using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Proto.OpenTelemetry;

namespace Proto.Actor.Tests.Tracing;

/// <summary>Collects the finished activities of one trace, which begins with <see cref="Root"/>.</summary>
internal sealed class ActivityProbe : IDisposable
{
    private readonly Probe _ended = new();
    private readonly TracerProvider _provider;

    public ActivityProbe()
    {
        _provider = Sdk.CreateTracerProviderBuilder().AddProtoActorInstrumentation().AddProcessor(new Collector(Collect)).Build();
        Root = new Activity("test").SetIdFormat(ActivityIdFormat.W3C);
        Root.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        Root.Start();
    }

    public Activity Root { get; }

    public async Task<Activity> Next(string name)
    {
        while (true)
        {
            if (await _ended.Next<Activity>() is { } activity && activity.DisplayName == name) return activity;
        }
    }

    public async Task<Dictionary<string, Activity>> Take(int count)
    {
        var taken = new Dictionary<string, Activity>();
        for (var i = 0; i < count; i++)
        {
            var activity = await _ended.Next<Activity>();
            taken.Add(activity.DisplayName, activity);
        }

        return taken;
    }

    public void Dispose()
    {
        Root.Stop();
        _provider.Dispose();
    }

    private void Collect(Activity activity)
    {
        if (activity.TraceId == Root.TraceId) _ended.Add(activity);
    }

    private sealed class Collector(Action<Activity> collect) : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data) => collect(data);
    }
}
