using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;

namespace ActorCluster.Client.Tests;

/// <summary>Guarantees G4 and G6 at the client's end of the wire: one effect per call, and an honest outcome.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    static readonly ActorClusterClientOptions Patient = new() { RequestTimeout = TimeSpan.FromSeconds(60), AttemptTimeout = TimeSpan.FromMilliseconds(200) };
    static readonly ActorClusterClientOptions Hasty = Patient with { RequestTimeout = TimeSpan.FromSeconds(1) };

    ScriptedNode _node = null!;

    public async Task InitializeAsync() => _node = await ScriptedNode.StartAsync();

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task A_lost_reply_is_asked_for_again_under_the_same_number_and_the_effect_is_single()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        _node.Script(Answer.LoseReply, Answer.LoseReply);

        Assert.Equal(5, await AddAsync(client, 5));
        Assert.Equal(5, _node.Value);
        Assert.Equal(["100/1/1", "100/1/1", "100/1/1"], Attempts());
    }

    [Fact]
    public async Task Calls_number_up_and_tell_what_nobody_waits_for_any_more()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        for (var i = 1; i <= 3; i++) Assert.Equal(i, await AddAsync(client, 1));
        Assert.Equal(["100/1/1", "100/2/2", "100/3/3"], Attempts());
        Assert.Equal(2, _node.Located.Count); // the partition for the session, and the grain: each once
    }

    [Fact]
    public async Task A_refused_place_is_looked_up_again()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        _node.Script(Answer.NotLeader, Answer.NoQuorum);
        Assert.Equal(1, await AddAsync(client, 1));
        var asked = _node.Located.Where(l => l.Kind == "counter").ToArray();
        Assert.Equal(3, asked.Length);
        Assert.Null(asked[0].Refused);
        Assert.Equal(7UL, asked[1].Refused?.Term); // the node is told which activation was refused
    }

    [Fact]
    public async Task A_session_that_expired_while_idle_is_replaced()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        await AddAsync(client, 1);
        _node.Script(Answer.SessionExpired);
        Assert.Equal(2, await AddAsync(client, 1));
        Assert.Equal(["100/1/1", "100/2/2", "200/1/1"], Attempts());
    }

    [Fact]
    public async Task A_session_that_expired_with_a_reply_lost_leaves_the_outcome_unknown()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        _node.Script(Answer.LoseReply, Answer.SessionExpired);
        var unknown = await Assert.ThrowsAsync<OutcomeUnknownException>(() => AddAsync(client, 1));
        Assert.Equal(ErrorCode.SessionExpired, unknown.Code);
        Assert.Equal(1, _node.Value); // it had happened indeed
    }

    [Fact]
    public async Task A_grain_that_throws_is_not_called_again()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        _node.Script(Answer.GrainFailed);
        Assert.Equal(ErrorCode.GrainFailed, (await Assert.ThrowsAsync<NotExecutedException>(() => AddAsync(client, 1))).Code);
        Assert.Single(_node.Attempts);
    }

    [Fact]
    public async Task At_the_deadline_refusals_alone_mean_not_executed()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Hasty);
        _node.Script([.. Enumerable.Repeat(Answer.NoQuorum, 10_000)]);
        Assert.Equal(ErrorCode.NoQuorum, (await Assert.ThrowsAsync<NotExecutedException>(() => AddAsync(client, 1))).Code);
        Assert.Equal(0, _node.Value);
    }

    [Fact]
    public async Task At_the_deadline_one_lost_reply_means_unknown_whatever_came_after()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Hasty);
        _node.Script([Answer.LoseReply, .. Enumerable.Repeat(Answer.NoQuorum, 10_000)]);
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => AddAsync(client, 1));
        Assert.Equal(1, _node.Value);
    }

    [Fact]
    public async Task A_seed_that_is_not_there_is_passed_over()
    {
        await using var client = await ActorClusterClient.ConnectAsync(["127.0.0.1:9", _node.Address], Patient);
        Assert.Equal(1, await AddAsync(client, 1));
    }

    [Fact]
    public async Task Without_any_node_it_says_what_each_one_did()
    {
        var failed = await Assert.ThrowsAsync<NotExecutedException>(() => ActorClusterClient.ConnectAsync(["127.0.0.1:9"], Hasty));
        Assert.Contains("127.0.0.1:9: not reachable", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_long_identities_and_too_large_messages_do_not_travel()
    {
        await using var client = await ActorClusterClient.ConnectAsync([_node.Address], Patient);
        var tooLong = await Assert.ThrowsAsync<NotExecutedException>(() => client.Grains.CallAsync<CounterValue>("counter", new string('ü', 513), new CounterAdd()));
        Assert.Equal(ErrorCode.KeyTooLong, tooLong.Code);
        var tooLarge = await Assert.ThrowsAsync<NotExecutedException>(() => client.Kv.PutAsync("k", new byte[Limits.MaxValueBytes + 1]));
        Assert.Equal(ErrorCode.ValueTooLarge, tooLarge.Code);
        Assert.Empty(_node.Located);
    }

    static async Task<long> AddAsync(ActorClusterClient client, long amount) =>
        (await client.Grains.CallAsync<CounterValue>("counter", "c", new CounterAdd { Amount = amount })).Value;

    string[] Attempts() => [.. _node.Attempts.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.SessionId}/{a.Sequence}/{a.LowestPending}"))];
}
