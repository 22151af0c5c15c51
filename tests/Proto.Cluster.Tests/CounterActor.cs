using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

/// <summary>Counts in memory.</summary>
sealed class CounterActor : IActor
{
    public const string Kind = "counter";

    long _total;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Add add:
                _total += add.Amount;
                context.Respond(new Total { Amount = _total, Identity = context.ClusterIdentity()!.Identity, Host = context.System.Address });
                break;
            case Vanish: context.Stop(context.Self); break;
            case Silence: break;
        }

        return Task.CompletedTask;
    }
}
