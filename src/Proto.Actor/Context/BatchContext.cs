namespace Proto.Context;

/// <summary>
/// A sender of requests that end together: with its token, or when it is disposed. It brings addresses for as many replies at a time as its size
/// says, so that a large batch does not use up those that all requests of the system share; requests beyond it share them.
/// </summary>
public sealed class BatchContext : ISenderContext, IDisposable
{
    private readonly ISenderContext _context;
    private readonly CancellationToken _token;
    private readonly CancellationTokenSource _end;
    private readonly SharedFutureProcess _addresses;

    internal BatchContext(ISenderContext context, int size, CancellationToken cancellationToken)
    {
        _context = context;
        _token = cancellationToken;
        _addresses = new SharedFutureProcess(context.System, size);
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public ActorSystem System => _context.System;

    public PID? Parent => _context.Parent;

    public PID Self => _context.Self;

    public PID? Sender => _context.Sender;

    public IActor Actor => _context.Actor;

    public MessageHeader Headers => _context.Headers;

    public object? Message => _context.Message;

    public T? Get<T>() => _context.Get<T>();

    public void Set<T>(T obj) => _context.Set(obj);

    public void Set<T, TI>(TI obj) where TI : T => _context.Set<T, TI>(obj);

    public void Remove<T>() => _context.Remove<T>();

    public void Send(PID target, object message) => _context.Send(target, message);

    public void Request(PID target, object message, PID? sender) => _context.Request(target, message, sender);

    /// <summary>A request that ends with the given token or with the batch, whichever is first.</summary>
    public async Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled || cancellationToken == _token)
        {
            return await BatchRequest<T>.Send(_context, _addresses, target, message, _end.Token);
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _end.Token);
        return await BatchRequest<T>.Send(_context, _addresses, target, message, either.Token);
    }

    public IFuture GetFuture() => _context.GetFuture();

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
        _addresses.Close();
    }
}
