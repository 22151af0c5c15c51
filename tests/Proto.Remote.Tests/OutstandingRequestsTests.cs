using System.Threading.Channels;
using Proto.Remote.Endpoints;

namespace Proto.Remote.Tests;

public sealed class OutstandingRequestsTests
{
    static readonly TimeSpan s_never = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Requests_of_batches_end_with_the_stream_beside_those_of_the_system()
    {
        await using var system = new ActorSystem();
        var requests = new SentRequests(system);
        using var batch = system.Root.CreateBatchContext(1, CancellationToken.None);
        using var other = system.Root.CreateBatchContext(1, CancellationToken.None);
        var outstanding = new OutstandingRequests(system);

        // Each is the first of its own shared future, and the batches' have fewer slots than the system's.
        var unanswered = new List<Task>();
        foreach (var context in (ISenderContext[])[batch, other, system.Root, system.Root])
        {
            unanswered.Add(context.RequestAsync<string>(requests.Target, "question", CancellationToken.None));
            outstanding.Add(await requests.Next());
        }

        outstanding.Abandon("the stream was lost");

        foreach (var request in unanswered) await Assert.ThrowsAsync<UnknownOutcomeException>(() => request.WaitAsync(s_never));
    }

    [Fact]
    public async Task Answered_requests_of_a_batch_are_forgotten_while_it_lasts()
    {
        await using var system = new ActorSystem();
        var requests = new SentRequests(system);
        using var batch = system.Root.CreateBatchContext(10, CancellationToken.None);
        var outstanding = new OutstandingRequests(system);

        for (var i = 0; i < 10_000; i++)
        {
            var answer = batch.RequestAsync<string>(requests.Target, "question", CancellationToken.None);
            var sender = await requests.Next();
            outstanding.Add(sender);
            system.Root.Send(sender, "answer");
            await answer.WaitAsync(s_never);
        }

        Assert.InRange(outstanding.Count, 1, 2_000);
    }

    /// <summary>An actor that answers nothing, and tells the test who asked.</summary>
    sealed class SentRequests
    {
        readonly Channel<PID> _senders = Channel.CreateUnbounded<PID>();

        public SentRequests(ActorSystem system) => Target = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string) _senders.Writer.TryWrite(context.Sender!);
            return Task.CompletedTask;
        }));

        public PID Target { get; }

        public Task<PID> Next() => _senders.Reader.ReadAsync().AsTask().WaitAsync(s_never);
    }
}
