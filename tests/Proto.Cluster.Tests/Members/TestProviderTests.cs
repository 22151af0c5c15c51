using System.Threading.Channels;
using Proto.Cluster.Testing;

namespace Proto.Cluster.Tests.Members;

public sealed class TestProviderTests
{
    [Fact]
    public void All_end_with_the_last_change_though_one_made_it_while_it_was_told_of_another()
    {
        var agent = new InMemAgent();
        IReadOnlyCollection<Member> lastTold = [];
        agent.Subscribe(members =>
        {
            if (members.Any(member => member.Id == "b")) agent.DeregisterService("b");
        });
        agent.Subscribe(members => lastTold = members);
        agent.RegisterService(new Member { Id = "a", Host = "a", Port = 1 });

        agent.RegisterService(new Member { Id = "b", Host = "b", Port = 1 });

        Assert.Equal(["a"], lastTold.Select(member => member.Id));
    }

    [Fact]
    public async Task A_member_that_is_not_refreshed_counts_no_more_and_is_forgotten_later()
    {
        await using var fixture = new ClusterFixture();
        var options = new TestProviderOptions
        {
            ServiceTtl = TimeSpan.FromSeconds(5),
            RefreshTtl = TimeSpan.FromMilliseconds(10),
            DeregisterCritical = TimeSpan.FromMilliseconds(1),
        };
        var member = fixture.CreateMember(provider: new TestProvider(options, fixture.Agent));
        // Registered by hand, at the beginning of time: it is late at once.
        fixture.Agent.RegisterService(new AgentServiceRegistration { ID = "late", Host = "127.0.0.1", Port = 1, Kinds = ["k"] });
        Assert.Equal(("late", true), fixture.Agent.GetServicesHealth().Select(service => (service.ID, service.Alive)).Single());
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        member.System.EventStream.Subscribe<ClusterTopology>(topology =>
        {
            if (topology.Left.Any(gone => gone.Id == "late")) left.TrySetResult();
        });

        await member.StartMemberAsync().WaitAsync(ClusterFixture.Soon());

        await left.Task.WaitAsync(ClusterFixture.Soon());
        Assert.Equal(member.System.Id, Assert.Single(fixture.Agent.GetServicesHealth()).ID);
    }

    [Fact]
    public void A_late_member_comes_back_when_it_is_refreshed_in_time()
    {
        var agent = new InMemAgent();
        var (begin, ttl, critical) = (DateTimeOffset.UnixEpoch, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
        agent.RegisterService(new Member { Id = "a", Host = "h", Port = 1 }, begin);

        agent.Expire(begin + ttl, ttl, critical);
        Assert.Empty(agent.GetServices());
        Assert.False(Assert.Single(agent.GetServicesHealth()).Alive);

        Assert.True(agent.RefreshServiceTTL("a", begin + ttl));
        Assert.Equal("a", Assert.Single(agent.GetServices()).Id);

        agent.Expire(begin + ttl + ttl + critical, ttl, critical);
        Assert.Empty(agent.GetServicesHealth());
        Assert.False(agent.RefreshServiceTTL("a", begin + ttl));
    }

    [Fact]
    public void A_forced_update_tells_the_members_again()
    {
        var agent = new InMemAgent();
        var told = Channel.CreateUnbounded<int>();
        agent.RegisterService(new Member { Id = "a", Host = "h", Port = 1 });
        agent.Subscribe(members => told.Writer.TryWrite(members.Count));

        agent.ForceUpdate();

        Assert.True(told.Reader.TryRead(out var atSubscription));
        Assert.True(told.Reader.TryRead(out var forced));
        Assert.Equal((1, 1), (atSubscription, forced));
    }
}
