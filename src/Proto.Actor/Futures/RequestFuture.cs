using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>
/// A request that waits for its reply: future, reply's conversion and task in one object. Its continuations run on the thread pool, never
/// on the responding actor's turn. Reply, timeout and failure to send each give the address back; the process that does so completes the task.
/// </summary>
internal sealed partial class RequestFuture<T> : TaskCompletionSource<T>, IFutureSlot
{
    private readonly ActorSystem _system;
    private readonly PID _target;
    private readonly PID _pid;
    private readonly IFutureProcess _process;
    private CancellationTokenRegistration _cancellation;

    private RequestFuture(ActorSystem system, PID target) : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        _system = system;
        _target = target;
        (_pid, _process) = FutureAddress.Create(system, this);
    }

    public static Task<T> Send(
        ISenderContext context, Sender? middleware, PID target, object message, MessageHeader headers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var system = context.System;
        var future = new RequestFuture<T>(system, target);
        // Registered before the message leaves: who replies must find the registration.
        if (cancellationToken.CanBeCanceled)
        {
            future._cancellation = cancellationToken.UnsafeRegister(static state => ((RequestFuture<T>)state!).TimeOut(), future);
        }

        try
        {
            var envelope = MessageEnvelope.Wrap(message, future._pid).MergeHeader(headers);
            if (middleware is null) target.SendUserMessage(system, envelope);
            else SenderChain.Send(context, middleware, target, envelope);
        }
        catch (Exception reason)
        {
            if (future._process.TryTake(future._pid, future)) future.Abandon(reason);
        }

        return future.Task;
    }

    public void Reply(object message)
    {
        _cancellation.Unregister();
        _system.Metrics.FutureCompleted();
        var bare = MessageEnvelope.UnwrapMessage(message);
        switch (bare)
        {
            case DeadLetterResponse when typeof(T) != typeof(DeadLetterResponse):
                if (_system.Config.DeadLetterResponseLogging)
                {
                    LogDeadLetter(_system.LoggerFactory.CreateLogger("Proto.Future"), _target.ToDiagnosticString());
                }

                TrySetException(new DeadLetterException(_target));
                break;
            case T reply:
                TrySetResult(reply);
                break;
            default:
                if (typeof(T) == typeof(MessageEnvelope)) TrySetResult((T)(object)MessageEnvelope.Wrap(message));
                else TrySetException(new InvalidOperationException($"expected a reply of type {typeof(T)}, got {bare?.GetType()}"));
                break;
        }
    }

    public void Abandon(Exception reason)
    {
        _cancellation.Unregister();
        TrySetException(reason);
    }

    private void TimeOut()
    {
        if (!_process.TryTake(_pid, this)) return;

        _system.Metrics.FutureTimedOut();
        TrySetException(new TimeoutException($"no reply from {_target.ToDiagnosticString()} before the request's token was cancelled"));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A request to {Target} ended in dead letters")]
    private static partial void LogDeadLetter(ILogger logger, string target);
}
