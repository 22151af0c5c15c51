namespace Proto.Actor.Tests;

public sealed class MessageBatchTests
{
    [Fact]
    public async Task Its_messages_come_one_by_one_and_the_batch_answers_after_them()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int or Numbers) probe.Add(context.Message is int number ? number : "batch");
            return Task.CompletedTask;
        }));

        var answer = await Probe.Within(system.Root.RequestAsync<string>(pid, new Numbers(1, 2, 3)));

        Assert.Equal("all done", answer);
        Assert.Equal([1, 2, 3, "batch"], await probe.Take(4));
    }

    [Fact]
    public async Task A_message_that_fails_costs_none_of_the_others()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is 2) throw new InvalidOperationException("two");
            if (context.Message is int number) probe.Add(number);
            return Task.CompletedTask;
        }));

        system.Root.Send(pid, new Numbers(1, 2, 3));

        Assert.Equal([1, 3], (await probe.Take(2)).Cast<int>());
    }

    private sealed class Numbers(params object[] messages) : IMessageBatch, IAutoRespond
    {
        public IReadOnlyCollection<object> GetMessages() => messages;

        public object GetAutoResponse(IContext context) => "all done";
    }
}
