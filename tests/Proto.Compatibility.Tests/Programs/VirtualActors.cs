using Programs.Messages;
using Proto;
using Proto.Cluster;
using Proto.Cluster.Identity;
using Proto.Cluster.Partition;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Programs;

/// <summary>Accounts as virtual actors on two members, asked from a client.</summary>
public static class VirtualActors
{
    public static Task RunWithPartitionIdentityAsync(TextWriter output) => RunAsync(output, () => new PartitionIdentityLookup());

    public static Task RunWithPartitionActivatorAsync(TextWriter output) => RunAsync(output, () => new PartitionActivatorLookup());

    private static async Task RunAsync(TextWriter output, Func<IIdentityLookup> lookup)
    {
        var agent = new InMemAgent();
        var account = new ClusterKind("account", Props.FromProducer(() => new Account()).WithClusterRequestDeduplication());
        await using var one = Member(agent, lookup(), account);
        await one.Cluster().StartMemberAsync();
        await using var two = Member(agent, lookup(), account);
        await two.Cluster().StartMemberAsync();
        await using var client = Member(agent, lookup());
        await client.Cluster().StartClientAsync();

        var cluster = client.Cluster();
        for (var i = 0; i < 10; i++) await cluster.RequestAsync<Ack>($"acc{i}", "account", new Add { Amount = 100 }, CancellationTokens.FromSeconds(20));
        await cluster.RequestAsync<Ack>("acc1", "account", new Transfer { To = "acc2", Amount = 30 }, CancellationTokens.FromSeconds(20));

        foreach (var id in new[] { "acc0", "acc1", "acc2" })
        {
            var total = await cluster.RequestAsync<Total>(ClusterIdentity.Create(id, "account"), new GetTotal(), CancellationTokens.FromSeconds(20));
            await output.WriteLineAsync($"{total.Identity}: {total.Value}");
        }

        await output.WriteLineAsync($"members: {cluster.MemberList.GetAllMembers().Length}, hosting accounts: {cluster.MemberList.GetMembersByKind("account").Length}");
        await cluster.ShutdownAsync();
        await two.Cluster().ShutdownAsync();
        await one.Cluster().ShutdownAsync();
    }

    private static ActorSystem Member(InMemAgent agent, IIdentityLookup lookup, params ClusterKind[] kinds) =>
        new ActorSystem(ActorSystemConfig.Setup().WithDeadLetterThrottleCount(3))
            .WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(MessagesReflection.Descriptor))
            .WithCluster(ClusterConfig
                .Setup("programs", new TestProvider(new TestProviderOptions(), agent), lookup)
                .WithClusterKinds(kinds)
                .WithActorRequestTimeout(TimeSpan.FromSeconds(5)));

    private class Account : IActor
    {
        private int _total;

        public async Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Add add:
                    _total += add.Amount;
                    context.Respond(new Ack());
                    break;
                case GetTotal:
                    context.Respond(new Total { Value = _total, Identity = context.ClusterIdentity()!.Identity });
                    break;
                case Transfer transfer:
                    _total -= transfer.Amount;
                    await context.ClusterRequestAsync<Ack>(transfer.To, "account", new Add { Amount = transfer.Amount }, CancellationTokens.FromSeconds(10));
                    context.Respond(new Ack());
                    break;
            }
        }
    }
}
