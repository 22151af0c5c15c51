namespace Proto.Benchmarks.Local;

/// <summary>Requests to one actor that answers at once.</summary>
sealed class LocalRequests : IAsyncDisposable
{
    static readonly object Message = new();

    readonly ActorSystem _system = new();
    readonly CancellationTokenSource _never = new();
    readonly PID _echo;

    public LocalRequests() => _echo = _system.Root.Spawn(Props.FromProducer(() => new Echo()));

    public Task WithDefaultTimeout() => _system.Root.RequestAsync<object>(_echo, Message);

    public Task WithToken() => _system.Root.RequestAsync<object>(_echo, Message, _never.Token);

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        _never.Dispose();
    }

    sealed class Echo : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message == Message) context.Respond(Message);
            return Task.CompletedTask;
        }
    }
}
