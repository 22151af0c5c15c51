using Proto;

namespace Programs;

/// <summary>Receiver and sender middleware, headers, and a decorated context.</summary>
public static class Pipeline
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var headers = new MessageHeader(new Dictionary<string, string> { { "TraceID", "1000" }, { "SpanID", "2000" } });
        var root = new RootContext(
            system,
            headers,
            next => async (context, target, envelope) =>
            {
                await output.WriteLineAsync($"sending {envelope.Message}");
                var spanned = envelope.WithHeader("SpanID", "3000");
                await next(context, target, spanned);
            });

        var actor = Props.FromFunc(context =>
            {
                if (context.Message is string text)
                {
                    output.WriteLine($"actor got {text} in {context.Headers.GetOrDefault("TraceID")}/{context.Headers.GetOrDefault("SpanID")}");
                    context.Respond($"{text} done");
                }

                return Task.CompletedTask;
            })
            .WithReceiverMiddleware(next => async (context, envelope) =>
            {
                if (envelope.Message is string text) await output.WriteLineAsync($"receiving {text}");
                await next(context, envelope);
            })
            .WithContextDecorator(context => new LoudContext(context));

        var pid = root.Spawn(actor);
        await output.WriteLineAsync(await root.RequestAsync<string>(pid, "work", TimeSpan.FromSeconds(5)));
    }

    private class LoudContext : ActorContextDecorator
    {
        public LoudContext(IContext context) : base(context)
        {
        }

        public override void Respond(object message) => base.Respond(message is string text ? text.ToUpperInvariant() : message);
    }
}
