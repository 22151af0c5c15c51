using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Local;

/// <summary>Pairs of actors that send messages to and fro, a fixed number of them in flight in each pair. Every message handled counts.</summary>
sealed class PingPong : IScenario, IAsyncDisposable
{
    readonly ActorSystem _system = new();
    readonly PID[] _pingers;

    public PingPong(int pairs, int inFlight) => _pingers = [.. Enumerable.Range(0, pairs).Select(_ => SpawnPair(inFlight))];

    public Task RunAsync(int operations)
    {
        var exchanges = Math.Max(1, operations / 2 / _pingers.Length);
        return Task.WhenAll(_pingers.Select(pinger =>
        {
            var start = new Start(exchanges);
            _system.Root.Send(pinger, start);
            return start.Done.Task;
        }));
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    PID SpawnPair(int inFlight)
    {
        var ponger = _system.Root.Spawn(Props.FromProducer(() => new Ponger()));
        return _system.Root.Spawn(Props.FromProducer(() => new Pinger(ponger, inFlight)));
    }

    sealed record Start(int Exchanges)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    sealed class Ball(PID pinger)
    {
        public readonly PID Pinger = pinger;
    }

    sealed class Ponger : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is Ball ball) context.Send(ball.Pinger, ball);
            return Task.CompletedTask;
        }
    }

    sealed class Pinger(PID ponger, int inFlight) : IActor
    {
        Start? _start;
        int _toSend;
        int _toReceive;

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Ball ball:
                    if (_toSend > 0) Send(context, ball);
                    if (--_toReceive == 0) _start!.Done.SetResult();
                    break;
                case Start start:
                    _start = start;
                    _toSend = _toReceive = start.Exchanges;
                    for (var i = 0; i < inFlight && _toSend > 0; i++) Send(context, new Ball(context.Self));
                    break;
            }

            return Task.CompletedTask;
        }

        void Send(IContext context, Ball ball)
        {
            _toSend--;
            context.Send(ponger, ball);
        }
    }
}
