using Proto.Router;
using Proto.Router.Messages;

namespace Proto.Actor.Tests.Router;

public sealed class RoutingTests
{
    [Fact]
    public async Task Round_robin_gives_each_routee_its_turn_from_any_number_of_senders()
    {
        await using var system = TestSystem.Create();
        var routees = Routee.SpawnMany(system, 3);
        var router = system.Root.Spawn(system.Root.NewRoundRobinGroup(routees));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 300; i++) system.Root.Send(router, i);
        })));

        foreach (var routee in routees) Assert.Equal(400, (await Routee.Received(system, routee)).Count);
    }

    [Fact]
    public async Task Broadcast_reaches_all_and_each_answers_the_sender()
    {
        await using var system = TestSystem.Create();
        var replies = new Probe();
        var router = system.Root.Spawn(system.Root.NewBroadcastPool(Props.FromFunc(context =>
        {
            if (context.Message is "who") context.Respond(context.Self);
            return Task.CompletedTask;
        }), 3));
        var asker = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "ask") context.Request(router, "who");
            if (context.Message is PID) replies.Add(context.Message);
            return Task.CompletedTask;
        }));

        system.Root.Send(asker, "ask");

        Assert.Equal(3, (await replies.Take(3)).Cast<PID>().Select(pid => pid.Id).Distinct().Count());
    }

    [Fact]
    public async Task The_same_seed_chooses_the_same_routees_and_uses_all_of_them()
    {
        await using var system = TestSystem.Create();
        var first = Routee.SpawnMany(system, 4);
        var second = Routee.SpawnMany(system, 4);
        foreach (var routees in (PID[][])[first, second])
        {
            var router = system.Root.Spawn(system.Root.NewRandomGroup(42, routees));
            for (var i = 0; i < 200; i++) system.Root.Send(router, i);
        }

        for (var i = 0; i < 4; i++)
        {
            var received = await Routee.Received(system, first[i]);
            Assert.NotEmpty(received);
            Assert.Equal(received, await Routee.Received(system, second[i]));
        }
    }

    [Fact]
    public async Task A_random_pool_without_a_seed_loses_nothing()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var router = system.Root.Spawn(system.Root.NewRandomPool(Props.FromFunc(context =>
        {
            if (context.Message is int number) probe.Add(number);
            return Task.CompletedTask;
        }), 3));

        for (var i = 0; i < 100; i++) system.Root.Send(router, i);

        Assert.Equal(Enumerable.Range(0, 100), (await probe.Take(100)).Cast<int>().Order());
    }

    [Fact]
    public async Task Equal_keys_meet_in_one_routee_and_only_the_keys_of_a_lost_one_move()
    {
        await using var system = TestSystem.Create();
        var routees = Routee.SpawnMany(system, 4);
        var router = system.Root.Spawn(system.Root.NewConsistentHashGroup(routees));
        var keys = Enumerable.Range(0, 50).Select(i => $"key-{i}").ToList();

        async Task<Dictionary<string, PID>> Owners()
        {
            var owners = new Dictionary<string, PID>();
            foreach (var key in keys) owners[key] = await Probe.Within(system.Root.RequestAsync<PID>(router, new Keyed(key)));
            return owners;
        }

        var before = await Owners();
        Assert.Equal(before, await Owners());
        Assert.Equal(4, before.Values.Distinct().Count());

        system.Root.Send(router, new RouterRemoveRoutee(routees[0]));
        var after = await Owners();

        foreach (var key in keys) Assert.True(before[key].Equals(routees[0]) ? !after[key].Equals(routees[0]) : after[key].Equals(before[key]));
    }

    [Fact]
    public async Task A_hash_and_a_key_of_ones_own_decide()
    {
        await using var system = TestSystem.Create();
        var routees = Routee.SpawnMany(system, 2);
        // One point per routee: 0 and 100 on the ring.
        uint Hash(string text) => text.EndsWith(routees[0].Id, StringComparison.Ordinal) ? 0 : text.EndsWith(routees[1].Id, StringComparison.Ordinal) ? 100 : uint.Parse(text);
        var router = system.Root.Spawn(system.Root.NewConsistentHashGroup(Hash, 1, message => message is int number ? $"{number}" : "0", routees));

        foreach (var number in (int[])[50, 100, 101, 0]) system.Root.Send(router, number);

        Assert.Equal([101, 0], await Routee.Received(system, routees[0]));
        Assert.Equal([50, 100], await Routee.Received(system, routees[1]));
    }

    [Fact]
    public async Task A_message_without_a_key_is_a_dead_letter_and_hinders_nothing()
    {
        await using var system = TestSystem.Create();
        var router = system.Root.Spawn(system.Root.NewConsistentHashPool(Props.FromFunc(context =>
        {
            if (context.Message is Keyed) context.Respond("routed");
            return Task.CompletedTask;
        }), 2));

        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<string>(router, "no key")));
        Assert.Equal("routed", await Probe.Within(system.Root.RequestAsync<string>(router, new Keyed("key"))));
    }

    [Fact]
    public async Task Routing_needs_no_turn_of_an_actor()
    {
        await using var system = TestSystem.Create();
        var routees = Routee.SpawnMany(system, 1);
        var turns = new Probe();
        var router = system.Root.Spawn(system.Root.NewRoundRobinGroup(routees).WithReceiverMiddleware(next => (context, envelope) =>
        {
            turns.Add(envelope.Message);
            return next(context, envelope);
        }));

        system.Root.Send(router, 1);
        Assert.Equal([1], await Routee.Received(system, routees[0]));
        await Probe.Within(system.Root.RequestAsync<Touched>(router, Touch.Instance));

        Assert.Equal([typeof(Started), typeof(Touch)], turns.Drain().Select(message => message.GetType()));
    }

    private sealed record Keyed(string Key) : IHashable
    {
        public string HashBy() => Key;
    }
}
