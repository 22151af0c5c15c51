using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;

namespace Proto.OpenTelemetry;

/// <summary>Carries trace context and baggage in a message's headers, in W3C form, and so from system to system.</summary>
internal static class TraceHeaders
{
    private static readonly TextMapPropagator s_propagator = new CompositeTextMapPropagator([new TraceContextPropagator(), new BaggagePropagator()]);

    /// <summary>The envelope with the current activity and baggage in its headers.</summary>
    public static MessageEnvelope Inject(MessageEnvelope envelope)
    {
        if (Activity.Current is not { } activity) return envelope;

        var headers = new List<KeyValuePair<string, string>>();
        s_propagator.Inject(
            new PropagationContext(activity.Context, Baggage.Current), headers, static (carrier, key, value) => carrier.Add(new(key, value)));
        return envelope.WithHeader(envelope.Header.With(headers));
    }

    /// <summary>Empty when the headers carry nothing, or nothing readable.</summary>
    public static PropagationContext Extract(MessageHeader headers) =>
        headers.Count == 0
            ? default
            : s_propagator.Extract(default, headers, static (carrier, key) => carrier.TryGetValue(key, out var value) ? [value] : []);
}
