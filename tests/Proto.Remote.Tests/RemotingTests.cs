using Google.Protobuf;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class RemotingTests
{
    [Fact]
    public async Task A_request_to_an_actor_of_another_system_is_answered()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();

        var pong = await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 7, Text = "seven" }, TestNode.Soon());

        Assert.Equal(7, pong.Number);
        Assert.Equal("seven", pong.Text);
    }

    [Fact]
    public async Task Messages_of_one_sender_arrive_in_order_and_none_is_lost()
    {
        const int Count = 50_000;
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        var inbox = b.SpawnInbox("inbox", out _);
        var target = b.Of("inbox");

        for (var i = 0; i < Count; i++) a.Root.Send(target, new Ping { Number = i });

        for (var i = 0; i < Count; i++) Assert.Equal(i, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
    }

    [Fact]
    public async Task Headers_and_the_sender_travel_with_a_message()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        var seen = new TaskCompletionSource<(PID? Sender, string Header)>(TaskCreationOptions.RunContinuationsAsynchronously);
        b.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is Ping) seen.TrySetResult((context.Sender, context.Headers.GetOrDefault("trace")));
                return Task.CompletedTask;
            }),
            "target");
        a.SpawnInbox("sender", out var sender);

        a.Root.WithHeaders(Proto.MessageHeader.Empty.With("trace", "grüße")).Request(b.Of("target"), new Ping(), sender);

        var (from, header) = await seen.Task.WaitAsync(TestNode.Soon());
        Assert.Equal(PID.FromAddress(a.Address, "sender"), from);
        Assert.Equal("grüße", header);
    }

    [Fact]
    public async Task A_request_to_an_actor_that_does_not_exist_fails_at_once()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();

        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(b.Of("nobody"), new Ping(), TestNode.Soon()));
    }

    [Fact]
    public async Task A_request_to_an_address_where_nobody_listens_fails_as_a_dead_letter()
    {
        await using var a = await TestNode.StartAsync();
        var deadLetters = a.Events<DeadLetterEvent>();
        using var port = new SilentPort();
        var target = port.Of("echo");

        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(target, new Ping(), TestNode.Soon()));
        Assert.Equal(target, (await deadLetters.ReadAsync(TestNode.Soon())).Pid);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task Large_messages_travel_both_ways(int bytes)
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var body = ByteString.CopyFrom(Enumerable.Range(0, bytes).Select(i => (byte)i).ToArray());

        var pong = await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Body = body }, TestNode.Soon());

        Assert.Equal(body, pong.Body);
    }

    [Fact]
    public async Task A_message_over_the_limit_becomes_a_dead_letter_and_harms_no_other()
    {
        await using var a = await TestNode.StartAsync(config => config.WithMaxMessageBytes(64 * 1024));
        await using var b = await TestNode.StartAsync(config => config.WithMaxMessageBytes(64 * 1024));
        b.SpawnEcho();
        var tooLarge = new Ping { Body = ByteString.CopyFrom(new byte[64 * 1024]) };

        var refused = a.Root.RequestAsync<Pong>(b.Of("echo"), tooLarge, TestNode.Soon());
        var accepted = a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 1 }, TestNode.Soon());

        await Assert.ThrowsAsync<DeadLetterException>(() => refused);
        Assert.Equal(1, (await accepted).Number);
    }

    [Fact]
    public async Task A_message_that_no_serializer_takes_becomes_a_dead_letter()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();

        await Assert.ThrowsAsync<DeadLetterException>(
            () => a.Root.RequestAsync<Pong>(b.Of("echo"), new Unregistered("x"), TestNode.Soon()));
        Assert.Equal(2, (await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 2 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_registered_record_travels_as_json_and_an_unregistered_one_is_refused_by_its_receiver()
    {
        await using var a = await TestNode.StartAsync(config => config.WithJsonTypes(typeof(Greeting), typeof(Unregistered)));
        await using var b = await TestNode.StartAsync(config => config.WithJsonTypes(typeof(Greeting)));
        var inbox = b.SpawnInbox("inbox", out _);

        a.Root.Send(b.Of("inbox"), new Unregistered("skipped"));
        a.Root.Send(b.Of("inbox"), new Greeting("hello", 3));

        Assert.Equal(new Greeting("hello", 3), await inbox.ReadAsync(TestNode.Soon()));
    }

    [Fact]
    public async Task An_actor_of_an_offered_kind_is_spawned_from_another_system()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithRemoteKind("echo", Props.FromFunc(context =>
        {
            if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number });
            return Task.CompletedTask;
        })));

        var spawned = await a.System.Remote().SpawnNamedAsync(b.Address, "mine", "echo", TimeSpan.FromSeconds(30));
        var again = await a.System.Remote().SpawnNamedAsync(b.Address, "mine", "echo", TimeSpan.FromSeconds(30));
        var unknown = await a.System.Remote().SpawnAsync(b.Address, "no such kind", TimeSpan.FromSeconds(30));

        Assert.Equal((int)ResponseStatusCode.OK, spawned.StatusCode);
        Assert.Equal((int)ResponseStatusCode.ProcessNameAlreadyExist, again.StatusCode);
        Assert.Equal((int)ResponseStatusCode.Error, unknown.StatusCode);
        Assert.Equal(5, (await a.Root.RequestAsync<Pong>(spawned.Pid, new Ping { Number = 5 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task An_actor_can_be_stopped_from_another_system()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        b.Of("echo").SendSystemMessage(a.System, new Watch(watcherPid));

        a.Root.Stop(b.Of("echo"));

        var terminated = Assert.IsType<Terminated>(await watcher.ReadAsync(TestNode.Soon()));
        Assert.Equal(TerminatedReason.Stopped, terminated.Why);
        Assert.Equal(b.Of("echo"), terminated.Who);
    }

    sealed record Greeting(string Text, int Number);

    sealed record Unregistered(string Text);
}
