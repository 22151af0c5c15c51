using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>
/// A request that waits for its reply: future, reply's conversion and task's source in one object. Its continuations run on the thread pool,
/// never on the responding actor's turn.
/// </summary>
internal partial class RequestFuture<T> : TaskCompletionSource<T>, IRequest
{
    private readonly ActorSystem _system;
    private readonly PID _target;
    private PID? _pid; // null until somebody asks
    private CancellationTokenRegistration _cancellation;
    private int _ended;

    protected RequestFuture(ActorSystem system, PID target) : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        _system = system;
        _target = target;
        system.Metrics.FutureStarted();
    }

    public PID Pid => _pid ?? MakePid();

    /// <summary>For the requester, who may wait on one thread only.</summary>
    protected Task<T> Result => _system.UsesThreadPool ? Task : Task.OnThisContext();

    public static Task<T> Send(
        ISenderContext context, Sender? middleware, PID target, object message, MessageHeader headers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var system = context.System;
        var future = new RequestFuture<T>(system, target);
        future.EndWith(cancellationToken);
        try
        {
            var envelope = MessageEnvelope.ForRequest(message, future).MergeHeader(headers);
            if (middleware is null) target.SendUserMessage(system, envelope);
            else SenderChain.Send(context, middleware, target, envelope);
        }
        catch (Exception reason)
        {
            future.TryAbandon(reason);
        }

        return future.Result;
    }

    public bool TryReply(object message)
    {
        if (!TryEnd()) return false;

        _system.Metrics.FutureCompleted();
        var bare = MessageEnvelope.UnwrapMessage(message);
        switch (bare)
        {
            case DeadLetterResponse gone when typeof(T) != typeof(DeadLetterResponse):
                if (_system.Config.DeadLetterResponseLogging)
                {
                    LogDeadLetter(_system.LoggerFactory.CreateLogger("Proto.Future"), _target.ToDiagnosticString());
                }

                SetException(DeadLetterException.Of(_target, gone, MessageEnvelope.UnwrapHeader(message)));
                break;
            case UnknownOutcomeResponse unknown when typeof(T) != typeof(UnknownOutcomeResponse):
                SetException(new UnknownOutcomeException(_target, unknown.Reason));
                break;
            case T reply:
                SetResult(reply);
                break;
            default:
                if (typeof(T) == typeof(MessageEnvelope)) SetResult((T)(object)MessageEnvelope.Wrap(message));
                else SetException(new InvalidOperationException($"expected a reply of type {typeof(T)}, got {bare?.GetType()}"));
                break;
        }

        return true;
    }

    public bool TryAbandon(Exception reason)
    {
        if (!TryEnd()) return false;

        SetException(reason);
        return true;
    }

    protected virtual PID CreateAddress() => FutureAddress.Create(_system, this);

    protected virtual void ReleaseAddress(PID pid) => FutureAddress.Release(_system, pid, this);

    /// <summary>Called before the message leaves: who replies must find the registration.</summary>
    protected void EndWith(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;

        _cancellation = cancellationToken.UnsafeRegister(static state => ((RequestFuture<T>)state!).TimeOut(), this);
    }

    private void TimeOut()
    {
        if (!TryEnd()) return;

        _system.Metrics.FutureTimedOut();
        SetException(new TimeoutException($"no reply from {_target.ToDiagnosticString()} before the request's token was cancelled"));
    }

    private bool TryEnd()
    {
        // A full fence: either this thread sees the address that another one is making, or that one sees the end.
        if (Interlocked.Exchange(ref _ended, 1) != 0) return false;

        _cancellation.Unregister();
        if (_pid is { } pid) ReleaseAddress(pid);
        return true;
    }

    private PID MakePid()
    {
        var made = CreateAddress();
        var known = Interlocked.CompareExchange(ref _pid, made, null);
        // Another thread was first, or there is nothing to wait for any more: then the PID leads to dead letters.
        if (known is not null || Volatile.Read(ref _ended) != 0) ReleaseAddress(made);
        return known ?? made;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A request to {Target} ended in dead letters")]
    private static partial void LogDeadLetter(ILogger logger, string target);
}
