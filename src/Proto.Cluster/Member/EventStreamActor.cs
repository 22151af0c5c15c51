namespace Proto.Cluster;

/// <summary>Publishes what members broadcast (<c>$eventstream</c>).</summary>
sealed class EventStreamActor : IActor
{
    public const string Name = "$eventstream";

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case SystemMessage or null: break;
            case { } message: context.System.EventStream.Publish(message); break;
        }

        return Task.CompletedTask;
    }
}
