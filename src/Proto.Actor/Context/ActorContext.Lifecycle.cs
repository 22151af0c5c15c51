using Microsoft.Extensions.Logging;
using Proto.DependencyInjection;

namespace Proto;

internal sealed partial class ActorContext
{
    private static readonly TimeSpan s_firstRestartPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_longestRestartPause = TimeSpan.FromSeconds(1);

    private ContextState _state;
    private bool _started; // this instance has handled Started
    private bool _awaitsDecision; // it failed; the supervisor has not answered yet, or the replacement is not ready

    private enum ContextState : byte
    {
        Alive,

        /// <summary>The instance and its children are ending; another instance follows.</summary>
        Restarting,

        /// <summary>There is no instance: the pause before the next one runs.</summary>
        Pausing,
        Stopping,
        Stopped,
    }

    public ValueTask InvokeUserMessageAsync(object msg)
    {
        if (_state >= ContextState.Stopping)
        {
            System.DeadLetters.Undelivered(Self, msg, _extras?.LastFailure is { } failure ? $"it was stopped after it failed: {failure.GetType()}: {failure.Message}" : null);
            return default;
        }

        return System.Metrics.Enabled ? Measure(msg) : Finish(Handle(msg), msg);
    }

    public ValueTask InvokeSystemMessageAsync(SystemMessage msg)
    {
        switch (msg)
        {
            case Started:
                return StartInstance();
            case Continuation continuation:
                return Continue(continuation);
            case Terminated terminated:
                return ProcessTerminated(terminated);
            case Watch watch:
                AddWatcher(watch.Watcher);
                return default;
            case Unwatch unwatch:
                _extras?.Watchers?.Remove(unwatch.Watcher);
                return default;
            case Proto.Stop:
                return BeginStop();
            case Restart:
                return BeginRestart();
            case Failure failure:
                ChildFailed(failure);
                return default;
            case ResumeMailbox resume:
                return Resumed(resume);
            case RestartDelayElapsed:
                return _state == ContextState.Pausing ? ReplaceInstance() : default;
            case ReceiveTimerFired:
                return ReceiveTimerElapsed();
            case SuspendMailbox:
                return default;
            case ProcessDiagnosticsRequest request:
                request.Describe(Describe);
                return default;
            default:
                LogUnknown(Logger, Self.ToDiagnosticString(), msg.GetType().Name);
                return default;
        }
    }

    /// <summary>The spawn failed before the first turn: what was sent meanwhile is undelivered, and watchers are told.</summary>
    internal void Abandon()
    {
        _state = ContextState.Stopped;
        CancelReceiveTimeout();
    }

    /// <summary>The actor failed (or, as a supervisor, passes a child's failure on): no more messages until its supervisor has decided.</summary>
    public void EscalateFailure(Exception reason, object? message)
    {
        _messageOrEnvelope = null;
        System.Metrics.Failed();
        var bare = MessageEnvelope.UnwrapMessage(message);
        if (_state >= ContextState.Stopping)
        {
            LogFailedWhileEnding(Logger, Self.ToDiagnosticString(), bare?.GetType().Name, reason);
            return;
        }

        if (System.Config.DeveloperSupervisionLogging) LogFailureInDetail(Logger, Self.ToDiagnosticString(), bare?.GetType().Name, bare, reason);
        else LogFailure(Logger, Self.ToDiagnosticString(), bare?.GetType().Name, reason);

        var extras = EnsureExtras();
        extras.LastFailure = reason;
        if (!_started) extras.StartFailures++;
        if (extras.JudgedChild is { } child) (extras.EscalatedChildren ??= new PidSet()).Add(child);
        Suspend();

        var statistics = extras.RestartStatistics ??= new RestartStatistics(System.Config.TimeProvider);
        // Its own supervisor when there is no other; the default strategy does not escalate.
        if (Parent is null) Supervision.DefaultStrategy.HandleFailure(this, Self, statistics, reason, bare);
        else Parent.SendSystemMessage(System, new Failure(Self, reason, statistics, bare));
    }

    private ValueTask StartInstance()
    {
        if (_state >= ContextState.Stopping) return default;

        _started = false;
        var started = System.Config.TimeProvider.GetTimestamp();
        _actor = _props.Producer(System, EnsureContext());
        var handled = Handle(Started.Instance);
        if (!handled.IsCompletedSuccessfully) return StartSlowly(handled, started);

        InstanceStarted(started);
        return default;
    }

    private async ValueTask StartSlowly(Task handled, long started)
    {
        await handled;
        InstanceStarted(started);
    }

    private void InstanceStarted(long started)
    {
        _started = true;
        _messageOrEnvelope = null;
        if (_extras is not null) _extras.StartFailures = 0;
        if (_props.StartDeadline <= TimeSpan.Zero) return;

        var duration = System.Config.TimeProvider.GetElapsedTime(started);
        if (duration > _props.StartDeadline) LogSlowStart(Logger, Self.ToDiagnosticString(), duration, _props.StartDeadline);
    }

    private async ValueTask BeginRestart()
    {
        // A second order changes nothing: the instance is being replaced or ended already.
        if (_state != ContextState.Alive) return;

        _state = ContextState.Restarting;
        // A sibling's failure may restart an actor that did not fail itself.
        Suspend();
        CancelReceiveTimeout();
        System.Metrics.Restarted();
        await Tell(Restarting.Instance);
        StopAllChildren();
        if (_extras is not null) _extras.EscalatedChildren = null;
        await EndInstanceIfChildless();
    }

    private async ValueTask BeginStop()
    {
        if (_state >= ContextState.Stopping) return;

        _state = ContextState.Stopping;
        _extras?.RestartTimer?.Dispose();
        CancelReceiveTimeout();
        await Tell(Stopping.Instance);
        StopAllChildren();
        await EndInstanceIfChildless();
    }

    private ValueTask EndInstanceIfChildless() => _extras is { Children.Count: > 0 } ? default : EndInstance();

    private async ValueTask EndInstance()
    {
        if (_extras?.Cancellation is { } cancellation)
        {
            _extras.Cancellation = null;
            await RunGuarded(() =>
            {
                cancellation.Cancel();
                return Task.CompletedTask;
            });
            cancellation.Dispose();
        }

        if (_state == ContextState.Stopping) await EndActor();
        else await EndForRestart();
    }

    private async ValueTask EndForRestart()
    {
        await DisposeInstance();
        // An instance that cannot start must not be retried in a hot loop, whatever the supervisor's strategy is.
        if (_extras is { StartFailures: > 0 } extras)
        {
            _state = ContextState.Pausing;
            var pause = Backoff.After(extras.StartFailures, s_firstRestartPause, s_longestRestartPause);
            extras.RestartTimer = OneShotTimer.Start(
                System.Config.TimeProvider, pause, () => _mailbox.PostSystemMessage(RestartDelayElapsed.Instance));
            return;
        }

        await ReplaceInstance();
    }

    private async ValueTask ReplaceInstance()
    {
        _state = ContextState.Alive;
        await StartInstance();
        // Only now: a failure in the start leaves the mailbox suspended.
        _mailbox.PostSystemMessage(ResumeMailbox.ForReplacement);
    }

    private async ValueTask EndActor()
    {
        System.ProcessRegistry.Remove(Self);
        await Tell(Stopped.Instance);
        _state = ContextState.Stopped;
        await DisposeInstance();
        System.Metrics.Stopped();
        TellWatchers();
        // What is still queued goes to dead letters.
        _mailbox.PostSystemMessage(ResumeMailbox.Instance);
    }

    private ValueTask DisposeInstance()
    {
        var actor = _actor;
        _actor = null;
        _messageOrEnvelope = null;
        return _extras?.Store?.Get<InstanceScope>() is { } scope ? DisposeInstance(actor, scope) : DisposeActor(actor);
    }

    private async ValueTask DisposeInstance(IActor? actor, InstanceScope scope)
    {
        _extras!.Store!.Remove<InstanceScope>();
        if (!scope.OwnsActor) await DisposeActor(actor);
        await RunGuarded(() => scope.DisposeAsync().AsTask());
    }

    private ValueTask DisposeActor(IActor? actor)
    {
        switch (actor)
        {
            case IAsyncDisposable disposable:
                return RunGuarded(() => disposable.DisposeAsync().AsTask());
            case IDisposable disposable:
                return RunGuarded(() =>
                {
                    disposable.Dispose();
                    return Task.CompletedTask;
                });
            default:
                return default;
        }
    }

    /// <summary>Tells an instance that is about to end; what it throws cannot keep it from ending.</summary>
    private ValueTask Tell(SystemMessage message) => _actor is null ? default : RunGuarded(() => Handle(message));

    private async ValueTask RunGuarded(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception reason)
        {
            LogFailedWhileEnding(Logger, Self.ToDiagnosticString(), Message?.GetType().Name, reason);
        }

        _messageOrEnvelope = null;
    }

    private ValueTask Finish(Task handled, object? message = null)
    {
        if (!handled.IsCompletedSuccessfully) return FinishLater(handled, message);

        Finished(message);
        return default;
    }

    private async ValueTask FinishLater(Task handled, object? message)
    {
        await handled;
        Finished(message);
    }

    private void Finished(object? message)
    {
        _messageOrEnvelope = null;
        if (_extras is { ReceiveTimer: not null } extras && MessageEnvelope.UnwrapMessage(message) is not INotInfluenceReceiveTimeout)
        {
            extras.LastReceived = System.Config.TimeProvider.GetTimestamp();
        }
    }

    private async ValueTask Measure(object message)
    {
        var time = System.Config.TimeProvider;
        var begin = time.GetTimestamp();
        await Finish(Handle(message), message);
        System.Metrics.Received(MessageEnvelope.UnwrapMessage(message), time.GetElapsedTime(begin), _mailbox.UserMessageCount);
    }

    private void Suspend()
    {
        if (_awaitsDecision) return;

        _awaitsDecision = true;
        _mailbox.PostSystemMessage(SuspendMailbox.Instance);
    }

    private ValueTask Resumed(ResumeMailbox resume)
    {
        if (_state < ContextState.Stopping && !_started && ReferenceEquals(resume, ResumeMailbox.ForReplacement))
        {
            // That replacement was itself replaced, by an instance that has not started: only its supervisor's decision is for it.
            _mailbox.PostSystemMessage(SuspendMailbox.Instance);
            return default;
        }

        if (_state < ContextState.Stopping && (_state != ContextState.Alive || _actor is null))
        {
            // Told to go on, but there is no instance to go on with: user messages still wait for the next one.
            _mailbox.PostSystemMessage(SuspendMailbox.Instance);
            return BeginRestart();
        }

        _awaitsDecision = false;
        if (_extras is not { } extras) return default;

        if (_state == ContextState.Alive) extras.LastFailure = null;

        // Children whose failure this actor passed on wait for the same decision.
        if (extras.EscalatedChildren is { } escalated)
        {
            extras.EscalatedChildren = null;
            ResumeChildren([.. escalated]);
        }

        if (extras.Deferred is { } deferred)
        {
            extras.Deferred = null;
            foreach (var message in deferred) _mailbox.PostSystemMessage(message);
        }

        return default;
    }

    /// <summary>Keeps a message from an instance that has failed, for when it is resumed or replaced.</summary>
    private bool DeferWhileUndecided(SystemMessage message)
    {
        if (!_awaitsDecision || _state >= ContextState.Stopping) return false;

        (EnsureExtras().Deferred ??= []).Add(message);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Self} failed on {MessageType}")]
    private static partial void LogFailure(ILogger logger, string self, string? messageType, Exception reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Self} failed on {MessageType} {FailedMessage}")]
    private static partial void LogFailureInDetail(ILogger logger, string self, string? messageType, object? failedMessage, Exception reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Self} failed on {MessageType} while it was ending; it ends all the same")]
    private static partial void LogFailedWhileEnding(ILogger logger, string self, string? messageType, Exception reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Self} took {Duration} to start, longer than {Deadline}")]
    private static partial void LogSlowStart(ILogger logger, string self, TimeSpan duration, TimeSpan deadline);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Self} does not know the system message {MessageType}")]
    private static partial void LogUnknown(ILogger logger, string self, string messageType);
}
