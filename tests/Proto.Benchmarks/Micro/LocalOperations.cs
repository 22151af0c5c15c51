using BenchmarkDotNet.Attributes;

namespace Proto.Benchmarks.Micro;

/// <summary>
/// One send, one request, one spawn with its stop, beside the bare hand-off of a task between two pool threads. In this process: the engine is
/// built as the rest of the benchmarks is.
/// </summary>
[InProcess]
[WarmupCount(3)]
[IterationCount(8)]
[MemoryDiagnoser]
public class LocalOperations
{
    const int Sends = 1000;
    static readonly object Message = new();

    readonly ActorSystem _system = new();
    readonly PID _echo;
    readonly PID _sink;
    readonly Props _idle = Props.FromFunc(static _ => Task.CompletedTask);

    public LocalOperations()
    {
        _echo = _system.Root.Spawn(Props.FromFunc(static context =>
        {
            if (context.Message == Message && context.Headers.Count == 0) context.Respond(Message);
            return Task.CompletedTask;
        }));
        _sink = _system.Root.Spawn(_idle);
    }

    [GlobalCleanup]
    public Task StopAsync() => _system.ShutdownAsync();

    [Benchmark(Baseline = true)]
    public Task<object> HandOffOfATask()
    {
        var answer = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.SetResult(Message), answer, preferLocal: false);
        return answer.Task;
    }

    [Benchmark(OperationsPerInvoke = Sends)]
    public Task<Touched> Send()
    {
        for (var i = 0; i < Sends; i++) _system.Root.Send(_sink, Message);
        return _system.Root.RequestAsync<Touched>(_sink, Proto.Touch.Instance);
    }

    [Benchmark]
    public Task<object> RequestWithDefaultTimeout() => _system.Root.RequestAsync<object>(_echo, Message);

    [Benchmark]
    public Task<Touched> Touch() => _system.Root.RequestAsync<Touched>(_echo, Proto.Touch.Instance);

    [Benchmark]
    public Task SpawnAndStop() => _system.Root.StopAsync(_system.Root.Spawn(_idle));
}
