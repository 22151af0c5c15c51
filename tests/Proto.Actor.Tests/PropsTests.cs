namespace Proto.Actor.Tests;

public sealed class PropsTests
{
    [Fact]
    public async Task What_was_sent_to_an_actor_whose_spawn_fails_is_undelivered_and_its_end_is_told()
    {
        await using var system = TestSystem.Create();
        Task? request = null, stopped = null;

        Assert.Throws<InvalidOperationException>(() => system.Root.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), "name", context =>
        {
            request = system.Root.RequestAsync<object>(context.Self, "question", CancellationToken.None);
            stopped = system.Root.StopAsync(context.Self);
            throw new InvalidOperationException("spawn fails");
        }));

        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(request!));
        await Probe.Within(stopped!);
    }

    [Fact]
    public async Task Middleware_and_decorators_run_outermost_first()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        Func<Receiver, Receiver> Receiving(string name) => next => (context, envelope) =>
        {
            if (envelope.Message is string) probe.Add($"receiver {name}");
            return next(context, envelope);
        };
        Func<Sender, Sender> Sending(string name) => next => (context, target, envelope) =>
        {
            probe.Add($"sender {name}");
            return next(context, target, envelope.WithHeader("sent", envelope.GetHeader("sent") + name));
        };
        var target = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string) probe.Add($"got {context.Headers.GetOrDefault("sent")}");
            return Task.CompletedTask;
        }));
        var pid = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is string text)
                {
                    probe.Add($"actor in {context.GetType().Name}");
                    context.Send(target, text);
                }

                return Task.CompletedTask;
            })
            .WithReceiverMiddleware(Receiving("1"), Receiving("2"))
            .WithSenderMiddleware(Sending("1"), Sending("2"))
            .WithContextDecorator(context => new Decorated(context)));

        system.Root.Send(pid, "hello");

        Assert.Equal(
            ["receiver 1", "receiver 2", "actor in Decorated", "sender 1", "sender 2", "got 12"],
            (await probe.Take(6)).Cast<string>());
    }

    [Fact]
    public async Task A_context_decorator_alone_sees_every_message()
    {
        await using var system = TestSystem.Create();
        var seen = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask).WithContextDecorator(context => new Counting(context, seen)));

        system.Root.Send(pid, "hello");

        Assert.Equal(["Started", "String"], (await seen.Take(2)).Cast<string>());
    }

    [Fact]
    public async Task Root_sender_middleware_applies_to_sends_and_requests()
    {
        await using var system = TestSystem.Create();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string) context.Respond(context.Headers.GetOrDefault("key"));
            return Task.CompletedTask;
        }));
        var root = system.Root.WithSenderMiddleware(next => (context, target, envelope) => next(context, target, envelope.WithHeader("key", "set")));

        Assert.Equal("set", await Probe.Within(root.RequestAsync<string>(pid, "hello")));
    }

    [Fact]
    public async Task Sender_middleware_that_throws_fails_the_request_and_leaves_no_address()
    {
        await using var system = TestSystem.Create(config => config with { SharedFutures = false });
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));
        var before = system.ProcessRegistry.ProcessCount;
        var root = system.Root.WithSenderMiddleware(_ => (_, _, _) => throw new InvalidOperationException("refused"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Probe.Within(root.RequestAsync<string>(pid, "hello")));

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }

    [Fact]
    public async Task Spawning_can_be_replaced_and_configured()
    {
        var probe = new Probe();
        await using var system = TestSystem.Create(config => config.WithConfigureProps(props => props.WithSpawner((system, id, inner, parent, callback) =>
        {
            probe.Add($"spawning {id}");
            return Props.DefaultSpawner(system, id, inner, parent, callback);
        })));

        system.Root.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), "name", context => probe.Add($"callback {context.Self.Id}"));

        Assert.Equal(["spawning name", "callback name"], probe.Drain().Cast<string>());
    }

    [Fact]
    public async Task Initializers_run_in_order_before_the_callback_and_the_first_message()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var props = Props
            .FromFunc(context =>
            {
                if (context.Message is Started) probe.Add($"started with {context.Get<string>()}");
                return Task.CompletedTask;
            })
            .WithOnInit(context => context.Set("first"))
            .WithOnInit(context => context.Set(context.Get<string>() + " second"));

        system.Root.Spawn(props, context => probe.Add($"callback after {context.Get<string>()}"));

        Assert.Equal(["callback after first second", "started with first second"], (await probe.Take(2)).Cast<string>());
    }

    [Fact]
    public async Task System_actors_have_names_with_a_dollar_sign()
    {
        await using var system = TestSystem.Create();
        var props = Props.FromFunc(_ => Task.CompletedTask);

        Assert.Throws<ArgumentException>(() => system.Root.SpawnNamedSystem(props, "plain"));
        Assert.Equal("$mine", system.Root.SpawnNamedSystem(props, "$mine").Id);
        Assert.StartsWith("pre$", system.Root.SpawnPrefix(props, "pre").Id, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behaviors_replace_and_stack()
    {
        await using var system = TestSystem.Create();
        Behavior behavior = null!;
        Task Answer(IContext context, string text)
        {
            if (context.Message is "who") context.Respond(text);
            if (context.Message is "stack") behavior.BecomeStacked(inner => Answer(inner, text + " stacked"));
            if (context.Message is "unstack") behavior.UnbecomeStacked();
            if (context.Message is "become") behavior.Become(inner => Answer(inner, "other"));
            return Task.CompletedTask;
        }

        behavior = new Behavior(context => Answer(context, "first"));
        var pid = system.Root.Spawn(Props.FromFunc(behavior.ReceiveAsync));
        async Task<string> After(string command)
        {
            system.Root.Send(pid, command);
            return await Probe.Within(system.Root.RequestAsync<string>(pid, "who"));
        }

        Assert.Equal("first", await After("nothing"));
        Assert.Equal("first stacked", await After("stack"));
        Assert.Equal("first", await After("unstack"));
        Assert.Equal("other", await After("become"));
    }

    [Fact]
    public async Task Contexts_keep_values_by_type()
    {
        await using var system = TestSystem.Create();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.Set("stored");
            if (context.Message is "get") context.Respond(context.Get<string>() ?? "none");
            if (context.Message is "remove") context.Remove<string>();
            return Task.CompletedTask;
        }));

        Assert.Equal("stored", await Probe.Within(system.Root.RequestAsync<string>(pid, "get")));
        system.Root.Send(pid, "remove");
        Assert.Equal("none", await Probe.Within(system.Root.RequestAsync<string>(pid, "get")));
    }

    [Fact]
    public async Task Extensions_are_found_by_type()
    {
        await using var system = TestSystem.Create();
        Assert.Null(system.Extensions.Get<Extension>());
        Assert.Throws<InvalidOperationException>(() => system.Extensions.GetRequired<Extension>());

        var extension = new Extension();
        system.Extensions.Register(extension);

        Assert.Same(extension, system.Extensions.Get<Extension>());
    }

    private sealed class Extension : IActorSystemExtension<Extension>;

    private sealed class Decorated(IContext context) : ActorContextDecorator(context);

    private sealed class Counting(IContext context, Probe probe) : ActorContextDecorator(context)
    {
        public override Task Receive(MessageEnvelope envelope)
        {
            probe.Add(envelope.Message.GetType().Name);
            return base.Receive(envelope);
        }
    }
}
