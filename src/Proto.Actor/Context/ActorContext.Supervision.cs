namespace Proto;

internal sealed partial class ActorContext
{
    public void RestartChildren(Exception reason, params PID[] pids)
    {
        foreach (var pid in pids) pid.SendSystemMessage(System, new Restart(reason));
    }

    public void StopChildren(params PID[] pids)
    {
        foreach (var pid in pids) pid.Stop(System);
    }

    public void ResumeChildren(params PID[] pids)
    {
        foreach (var pid in pids) pid.SendSystemMessage(System, ResumeMailbox.Instance);
    }

    private void ChildFailed(Failure failure)
    {
        // Ending: the child has been told to stop already.
        if (_state != ContextState.Alive) return;

        var strategy = _actor as ISupervisorStrategy ?? _props.SupervisorStrategy;
        var extras = EnsureExtras();
        extras.JudgedChild = failure.Who;
        try
        {
            strategy.HandleFailure(this, failure.Who, failure.RestartStatistics, failure.Reason, failure.Message);
        }
        catch
        {
            // Undecided, the child would stay suspended for ever. The failure of the strategy is this actor's own.
            StopChildren(failure.Who);
            throw;
        }
        finally
        {
            extras.JudgedChild = null;
        }
    }

    private void StopAllChildren()
    {
        foreach (var child in Children) child.Stop(System);
    }

    private async ValueTask ProcessTerminated(Terminated terminated)
    {
        var wasChild = _extras?.Children.Remove(terminated.Who) == true;
        switch (_state)
        {
            case ContextState.Alive:
                if (!DeferWhileUndecided(terminated)) await Finish(Handle(terminated));
                break;
            case ContextState.Restarting when wasChild:
                await Tell(terminated);
                await EndInstanceIfChildless();
                break;
            case ContextState.Restarting or ContextState.Pausing:
                // Watching outlives the instance, so its end is for the next one.
                DeferWhileUndecided(terminated);
                break;
            case ContextState.Stopping:
                await Tell(terminated);
                if (wasChild) await EndInstanceIfChildless();
                break;
        }
    }

    private void AddWatcher(PID watcher)
    {
        if (_state == ContextState.Stopped) watcher.SendSystemMessage(System, TerminatedMessage());
        else (EnsureExtras().Watchers ??= new PidSet()).Add(watcher);
    }

    private void TellWatchers()
    {
        // A parent is told in any case, once, and first: whoever has waited for the end finds that the parent knows.
        Parent?.SendSystemMessage(System, TerminatedMessage());
        if (_extras?.Watchers is not { } watchers) return;

        _extras.Watchers = null;
        foreach (var watcher in watchers)
        {
            if (!watcher.Equals(Parent)) watcher.SendSystemMessage(System, TerminatedMessage());
        }
    }

    private Terminated TerminatedMessage() => new() { Who = Self, Why = TerminatedReason.Stopped };
}
