using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;
using Proto;

namespace ActorCluster.Client.Tests;

public class WatchTests
{
    [Fact]
    public async Task A_watch_goes_on_at_another_node_and_tells_what_changed_in_between()
    {
        await using var first = await ScriptedNode.StartAsync("n1", 1);
        await using var second = await ScriptedNode.StartAsync("n2", 2);
        foreach (var (from, to) in new[] { (first, second), (second, first) }) to.Members.Members_.Add(from.Members.Members_[0].Clone());
        await using var client = await ActorClusterClient.ConnectAsync([first.Address, second.Address], new() { AttemptTimeout = TimeSpan.FromMilliseconds(500) });

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var watch = client.Admin.WatchAsync(await client.Admin.MembersAsync(), patience.Token).GetAsyncEnumerator(patience.Token);
        var next = watch.MoveNextAsync().AsTask();
        var watched = await Task.WhenAny(first.Subscribed.Task, second.Subscribed.Task) == first.Subscribed.Task ? first : second;
        var other = watched == first ? second : first;

        watched.System.Root.Send(new PID(watched.Address, "admin"), new MembershipChanged { Uid = 9, Name = "n9", Current = MemberState.Joining, Incarnation = 1 });
        Assert.True(await next);
        Assert.Equal(("n9", MemberState.Joining), (watch.Current.Name, watch.Current.Current));

        // While the client looks away, the other node sees the watched one fall.
        other.Members.Members_.Single(m => m.Address == watched.Address).State = MemberState.Unreachable;
        next = watch.MoveNextAsync().AsTask();
        await watched.DisposeAsync();
        Assert.True(await next);
        Assert.Equal((MemberState.Up, MemberState.Unreachable, other.Members.AnsweredBy), (watch.Current.Previous, watch.Current.Current, watch.Current.SeenBy));
    }
}
