using Proto;
using Proto.Timers;

namespace Programs;

/// <summary>Receive timeout, scheduler, event stream, dead letters.</summary>
public static class TimersAndEvents
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var idle = new TaskCompletionSource();
        var patient = system.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started:
                    context.SetReceiveTimeout(TimeSpan.FromMilliseconds(20));
                    break;
                case ReceiveTimeout:
                    context.CancelReceiveTimeout();
                    idle.TrySetResult();
                    break;
            }

            return Task.CompletedTask;
        }));
        await idle.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await output.WriteLineAsync("receive timeout");

        var ticks = 0;
        var three = new TaskCompletionSource();
        var counter = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "tick" && ++ticks == 3) three.TrySetResult();
            return Task.CompletedTask;
        }));
        using (var cancel = system.Root.Scheduler().SendRepeatedly(TimeSpan.FromMilliseconds(5), counter, "tick"))
        {
            await three.Task.WaitAsync(TimeSpan.FromSeconds(10));
            await cancel.CancelAsync();
        }

        await output.WriteLineAsync("three ticks");

        var lost = new TaskCompletionSource<DeadLetterEvent>();
        var subscription = system.EventStream.Subscribe<DeadLetterEvent>(letter => lost.TrySetResult(letter));
        await system.Root.StopAsync(patient);
        system.Root.Send(patient, "too late");
        var dead = await lost.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await output.WriteLineAsync($"dead letter: {dead.Message} to {(dead.Pid.Equals(patient) ? "the stopped actor" : "another")}");
        subscription.Unsubscribe();

        try
        {
            await system.Root.RequestAsync<string>(patient, "anybody?", TimeSpan.FromSeconds(5));
        }
        catch (DeadLetterException)
        {
            await output.WriteLineAsync("nobody there");
        }
    }
}
