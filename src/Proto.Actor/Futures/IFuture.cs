namespace Proto.Future;

/// <summary>A one-time address: the first message sent to <see cref="Pid"/> completes it. Disposing gives the address back.</summary>
public interface IFuture : IDisposable
{
    PID Pid { get; }

    /// <summary>The message, in its envelope when it has one. Continuations never run on the sender's turn.</summary>
    Task<object> Task { get; }

    /// <exception cref="TimeoutException">The token was cancelled first; the address is given back.</exception>
    Task<object> GetTask(CancellationToken cancellationToken);
}
