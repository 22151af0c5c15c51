using System.Diagnostics;
using OpenTelemetry;
using Proto.OpenTelemetry;

namespace Proto.Actor.Tests.Tracing;

public sealed class TracingTests
{
    [Fact]
    public async Task A_request_through_two_actors_is_one_trace_from_end_to_end()
    {
        await using var system = TestSystem.Create(config => config
            .WithConfigureRootContext(root => root.WithTracing())
            .WithConfigureProps(props => props.WithTracing()));
        using var trace = new ActivityProbe();
        var worker = system.Root.SpawnNamed(Props.FromProducer(() => new Worker()), "worker");
        var front = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is Order order) context.Respond(await context.RequestAsync<Done>(worker, new Work(order.Item)));
        }));

        Assert.Equal(new Done("bread"), await Probe.Within(system.Root.RequestAsync<Done>(front, new Order("bread"))));

        var order = await trace.Next("RequestAsync Order");
        Assert.Equal(trace.Root.SpanId, order.ParentSpanId);
        Assert.Equal(ActivityKind.Client, order.Kind);
        Assert.Equal(front.ToDiagnosticString(), order.GetTagItem("proto.targetpid"));
        Assert.Equal("Order", order.GetTagItem("proto.messagetype"));
        Assert.Equal("RequestAsync", order.GetTagItem("proto.action"));
    }

    [Fact]
    public async Task Every_turn_and_every_message_is_the_child_of_what_caused_it()
    {
        await using var system = TestSystem.Create(config => config.WithConfigureProps(props => props.WithTracing()));
        using var trace = new ActivityProbe();
        var worker = system.Root.SpawnNamed(Props.FromProducer(() => new Worker()), "worker");
        var front = system.Root.SpawnNamed(Props.FromFunc(context =>
        {
            if (context.Message is Order order) context.Request(worker, new Work(order.Item));
            return Task.CompletedTask;
        }), "front");

        system.Root.WithTracing().Send(front, new Order("bread"));

        var activities = await trace.Take(6);
        Activity Of(string name) => activities[name];
        Assert.Equal(
            [trace.Root.SpanId, Of("Send Order").SpanId, Of("Receive Order").SpanId, Of("Request Work").SpanId, Of("Receive Work").SpanId, Of("Respond Done").SpanId],
            new[] { "Send Order", "Receive Order", "Request Work", "Receive Work", "Respond Done", "Receive Done" }.Select(name => Of(name).ParentSpanId));
        var received = Of("Receive Work");
        Assert.Equal("nonhost/worker", received.GetTagItem("proto.actorpid"));
        Assert.Equal(nameof(Worker), received.GetTagItem("proto.actortype"));
        Assert.Equal("nonhost/front", received.GetTagItem("proto.senderpid"));
        Assert.Equal(ActivityKind.Consumer, received.Kind);
    }

    [Fact]
    public async Task The_context_travels_in_w3c_headers_with_its_baggage()
    {
        await using var system = TestSystem.Create();
        using var trace = new ActivityProbe();
        var probe = new Probe();
        var pid = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is Order) probe.Add((context.Headers, Baggage.GetBaggage("tenant")));
                return Task.CompletedTask;
            })
            .WithTracing());
        Baggage.SetBaggage("tenant", "acme");

        system.Root.WithTracing().Send(pid, new Order("bread"));

        var (headers, tenant) = ((MessageHeader, string?))await probe.Next();
        var sent = await trace.Next("Send Order");
        Assert.Equal($"00-{sent.TraceId}-{sent.SpanId}-01", headers["traceparent"]);
        Assert.Equal("acme", tenant);
    }

    [Fact]
    public async Task A_trace_that_another_system_began_is_continued()
    {
        await using var system = TestSystem.Create();
        using var trace = new ActivityProbe();
        var caller = ActivitySpanId.CreateRandom();
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask).WithTracing());

        system.Root.WithHeaders(MessageHeader.Empty.With("traceparent", $"00-{trace.Root.TraceId}-{caller}-01")).Send(pid, new Order("bread"));

        Assert.Equal(caller, (await trace.Next("Receive Order")).ParentSpanId);
    }

    [Fact]
    public async Task A_reentrant_continuation_belongs_to_the_turn_that_asked_for_it()
    {
        await using var system = TestSystem.Create();
        using var trace = new ActivityProbe();
        var later = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var pid = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is Order) context.ReenterAfter(later.Task, task => context.Respond(new Done(task.Result)));
                return Task.CompletedTask;
            })
            .WithTracing());

        var reply = system.Root.WithTracing().RequestAsync<Done>(pid, new Order("bread"));
        var turn = await trace.Next("Receive Order");
        later.SetResult("late");
        Assert.Equal(new Done("late"), await Probe.Within(reply));

        var respond = await trace.Next("Respond Done");
        var continuation = await trace.Next("ReenterAfter Order");
        Assert.Equal(turn.SpanId, continuation.ParentSpanId);
        Assert.Equal(continuation.SpanId, respond.ParentSpanId);
    }

    [Fact]
    public async Task What_an_actor_throws_marks_its_turn_as_failed()
    {
        await using var system = TestSystem.Create();
        using var trace = new ActivityProbe();
        var pid = system.Root.Spawn(Props
            .FromFunc(context => context.Message is Order ? throw new InvalidOperationException("sold out") : Task.CompletedTask)
            .WithTracing());

        system.Root.WithTracing().Send(pid, new Order("bread"));

        var turn = await trace.Next("Receive Order");
        Assert.Equal((ActivityStatusCode.Error, "sold out"), (turn.Status, turn.StatusDescription));
        Assert.Contains(turn.Events, item => item.Name == "exception");
    }

    [Fact]
    public async Task An_application_adds_tags_of_its_own()
    {
        await using var system = TestSystem.Create();
        using var trace = new ActivityProbe();
        var pid = system.Root.Spawn(Props
            .FromFunc(_ => Task.CompletedTask)
            .WithTracing(receiveActivitySetup: (activity, message) => activity.SetTag("item", ((Order)message).Item)));

        system.Root.WithTracing((activity, _) => activity.SetTag("from", "test")).Send(pid, new Order("bread"));

        Assert.Equal("test", (await trace.Next("Send Order")).GetTagItem("from"));
        Assert.Equal("bread", (await trace.Next("Receive Order")).GetTagItem("item"));
    }

    private sealed record Order(string Item);

    private sealed record Work(string Item);

    private sealed record Done(string Item);

    private sealed class Worker : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is Work work) context.Respond(new Done(work.Item));
            return Task.CompletedTask;
        }
    }
}
