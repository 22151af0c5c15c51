using System.Collections.Concurrent;

namespace Proto.Actor.Tests;

/// <summary>Many senders at once, while their receiver fails, is restarted, and is stopped.</summary>
public sealed class StressOrderTests
{
    private const int Senders = 8;
    private const int MessagesEach = 5_000;

    private sealed record Numbered(int Sender, int Number);

    [Fact]
    public async Task Each_sender_is_heard_in_order_and_whole_while_the_receiver_fails_and_is_restarted()
    {
        await using var system = TestSystem.Create();
        var witness = new Witness();
        var receiver = system.Root.Spawn(
            Props.FromProducer(() => new FailingReceiver(witness)).WithGuardianSupervisorStrategy(Supervision.AlwaysRestartStrategy));

        await SendFromAll(system, receiver, (_, _) => { });
        await Probe.Within(witness.AllHeard);

        Assert.Empty(witness.Violations);
        Assert.All(witness.NextBySender, next => Assert.Equal(MessagesEach, next));
        Assert.Equal(Senders * MessagesEach / FailingReceiver.FailsEvery + 1, witness.Instances);
    }

    [Fact]
    public async Task A_stop_in_the_middle_cuts_each_senders_messages_into_handled_ones_and_dead_letters()
    {
        await using var system = TestSystem.Create();
        var handled = Enumerable.Range(0, Senders).Select(_ => new List<int>()).ToArray();
        var dead = Enumerable.Range(0, Senders).Select(_ => new ConcurrentQueue<int>()).ToArray();
        var allEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = Senders * MessagesEach;
        void Ended()
        {
            if (Interlocked.Decrement(ref left) == 0) allEnded.SetResult();
        }

        system.EventStream.Subscribe<DeadLetterEvent>(letter =>
        {
            if (letter.Message is not Numbered lost) return;
            dead[lost.Sender].Enqueue(lost.Number);
            Ended();
        });
        var receiver = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Numbered message)
            {
                handled[message.Sender].Add(message.Number);
                Ended();
            }

            return Task.CompletedTask;
        }));

        await SendFromAll(system, receiver, (sender, number) =>
        {
            if (sender == 0 && number == MessagesEach / 2) system.Root.Stop(receiver);
        });
        await Probe.Within(allEnded.Task);

        for (var sender = 0; sender < Senders; sender++)
        {
            Assert.Equal(Enumerable.Range(0, handled[sender].Count), handled[sender]);
            // Those that waited in the mailbox and those that came after the end are told by different threads.
            Assert.Equal(Enumerable.Range(handled[sender].Count, MessagesEach - handled[sender].Count), dead[sender].Order());
        }

        Assert.True(handled[0].Count <= MessagesEach / 2);
    }

    [Fact]
    public async Task Every_request_has_one_outcome_while_children_fail_restart_and_stop_under_their_parent()
    {
        await using var system = TestSystem.Create();
        var before = system.ProcessRegistry.ProcessCount;
        var parent = system.Root.Spawn(Props.FromProducer(() => new Parent()));
        var outcomes = new ConcurrentDictionary<int, string>();

        await Probe.Within(Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                var number = sender * 500 + i;
                using var givesUp = new CancellationTokenSource();
                // A child that fails or is stopped on a request may never answer: then the requester gives up, once the parent is past it.
                var request = system.Root.RequestAsync<int>(parent, number, givesUp.Token);
                if (number % 10 == 0)
                {
                    await system.Root.RequestAsync<Touched>(parent, Touch.Instance);
                    givesUp.Cancel();
                }

                await ((Task)request).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                var outcome = request.IsCompletedSuccessfully
                    ? request.Result == number ? "reply" : "another's reply"
                    : request.Exception!.InnerException!.GetType().Name;
                Assert.True(outcomes.TryAdd(number, outcome));
            }
        }))));

        Assert.Equal(Senders * 500, outcomes.Count);
        Assert.All(outcomes, outcome => Assert.Contains(outcome.Value, (string[])["reply", nameof(TimeoutException), nameof(DeadLetterException)]));
        // Only a request that was given up may end without a reply.
        Assert.All(outcomes.Where(outcome => outcome.Key % 10 != 0), outcome => Assert.Equal("reply", outcome.Value));
        await Probe.Within(system.Root.StopAsync(parent));
        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        Leftovers.AssertAllSharedSlotsAreFree(system);
    }

    private static Task SendFromAll(ActorSystem system, PID receiver, Action<int, int> beforeEach) =>
        Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(() =>
        {
            for (var number = 0; number < MessagesEach; number++)
            {
                beforeEach(sender, number);
                system.Root.Send(receiver, new Numbered(sender, number));
            }
        })));

    /// <summary>What all instances of one actor saw together.</summary>
    private sealed class Witness
    {
        private readonly TaskCompletionSource _allHeard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _heard;

        public int[] NextBySender { get; } = new int[Senders];

        public ConcurrentQueue<string> Violations { get; } = new();

        public int Instances { get; set; }

        public Task AllHeard => _allHeard.Task;

        public int Hear(Numbered message)
        {
            var expected = NextBySender[message.Sender]++;
            if (message.Number != expected) Violations.Enqueue($"sender {message.Sender}: {message.Number} instead of {expected}");
            return ++_heard;
        }

        public void Heard()
        {
            if (_heard == Senders * MessagesEach) _allHeard.SetResult();
        }
    }

    /// <summary>Fails after its work on every so many-th message, and tells when it is given anything that is not for it.</summary>
    private sealed class FailingReceiver : IActor
    {
        public const int FailsEvery = 100;

        private readonly Witness _witness;
        private bool _started;
        private bool _failed;

        public FailingReceiver(Witness witness)
        {
            _witness = witness;
            witness.Instances++;
        }

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Started:
                    _started = true;
                    // The last message fails too: all is heard when the instance after it has started.
                    _witness.Heard();
                    break;
                case Restarting:
                    if (!_failed) _witness.Violations.Enqueue("an instance that did not fail was replaced");
                    break;
                case Numbered message:
                    if (!_started) _witness.Violations.Enqueue("an instance was given a message before it started");
                    if (_failed) _witness.Violations.Enqueue("an instance was given a message after it had failed");
                    if (_witness.Hear(message) % FailsEvery != 0) break;
                    _failed = true;
                    throw new InvalidOperationException("fails after its work");
            }

            return Task.CompletedTask;
        }
    }

    /// <summary>Passes each request on to a child. Some children fail, some stop; some are stopped from here in the middle.</summary>
    private sealed class Parent : IActor
    {
        private static readonly Props s_child = Props.FromFunc(context =>
        {
            if (context.Message is not int number) return Task.CompletedTask;
            if (number % 30 == 0) throw new InvalidOperationException("fails instead of answering");
            if (number % 10 != 0) context.Respond(number);
            if (number % 20 == 0) context.Stop(context.Self);
            return Task.CompletedTask;
        });

        private PID? _steady;

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Started:
                    _steady = context.Spawn(s_child);
                    break;
                case int number:
                    // Those that stop or fail get a child of their own: no other request shall be lost with them.
                    context.Forward(number % 10 == 0 ? context.Spawn(s_child) : _steady!);
                    break;
            }

            return Task.CompletedTask;
        }
    }
}
