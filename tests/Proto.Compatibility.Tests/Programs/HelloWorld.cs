using Proto;

namespace Programs;

public static class HelloWorld
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var props = Props.FromProducer(() => new HelloActor(output));
        var pid = system.Root.Spawn(props);

        system.Root.Send(pid, new Hello("Alex"));
        var answer = await system.Root.RequestAsync<string>(pid, new Hello("Roger"), TimeSpan.FromSeconds(5));
        await output.WriteLineAsync(answer);
        await system.Root.PoisonAsync(pid);
    }

    private record Hello(string Who);

    private class HelloActor : IActor
    {
        private readonly TextWriter _output;

        public HelloActor(TextWriter output) => _output = output;

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Started:
                    _output.WriteLine("started");
                    break;
                case Hello hello when context.Sender is null:
                    _output.WriteLine($"Hello {hello.Who}");
                    break;
                case Hello hello:
                    context.Respond($"Hello {hello.Who}, you asked");
                    break;
                case Stopped:
                    _output.WriteLine("stopped");
                    break;
            }

            return Task.CompletedTask;
        }
    }
}
