using Proto.Benchmarks.Messages;

namespace Proto.Benchmarks.Cluster;

/// <summary>A virtual actor that sends back what it gets.</summary>
sealed class EchoGrain : IActor
{
    public Task ReceiveAsync(IContext context)
    {
        if (context.Message is Payload payload) context.Respond(payload);
        return Task.CompletedTask;
    }
}
