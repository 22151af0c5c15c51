using BenchmarkDotNet.Attributes;

namespace Proto.Benchmarks.Micro;

/// <summary>One send, one request, one spawn with its stop. In this process: the engine is built as the rest of the benchmarks is.</summary>
[InProcess]
[MemoryDiagnoser]
public class LocalOperations
{
    static readonly object Message = new();

    readonly ActorSystem _system = new();
    readonly PID _echo;
    readonly Props _idle = Props.FromFunc(static _ => Task.CompletedTask);

    public LocalOperations() => _echo = _system.Root.Spawn(Props.FromFunc(static context =>
    {
        if (context.Message == Message && context.Headers.Count == 0) context.Respond(Message);
        return Task.CompletedTask;
    }));

    [GlobalCleanup]
    public Task StopAsync() => _system.ShutdownAsync();

    [Benchmark]
    public Task<object> RequestWithDefaultTimeout() => _system.Root.RequestAsync<object>(_echo, Message);

    [Benchmark]
    public Task<Touched> Touch() => _system.Root.RequestAsync<Touched>(_echo, Proto.Touch.Instance);

    [Benchmark]
    public Task SpawnAndStop() => _system.Root.StopAsync(_system.Root.Spawn(_idle));
}
