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
        strategy.HandleFailure(this, failure.Who, failure.RestartStatistics, failure.Reason, failure.Message);
    }

    private void StopAllChildren()
    {
        foreach (var child in Children) child.Stop(System);
    }

    private async ValueTask ProcessTerminated(Terminated terminated)
    {
        if (_state == ContextState.Stopped) return;

        _extras?.Children.Remove(terminated.Who);
        if (_state == ContextState.Alive)
        {
            if (!Defer(terminated)) await Finish(Handle(terminated)).ConfigureAwait(false);
            return;
        }

        await Tell(terminated).ConfigureAwait(false);
        // A replacement that waits for its pause has no instance and no children any more.
        if (_actor is not null || _state == ContextState.Stopping) await EndInstanceIfChildless().ConfigureAwait(false);
    }

    private void AddWatcher(PID watcher)
    {
        if (_state == ContextState.Stopped) watcher.SendSystemMessage(System, TerminatedMessage());
        else (EnsureExtras().Watchers ??= new PidSet()).Add(watcher);
    }

    private void TellWatchers()
    {
        var watchers = _extras?.Watchers;
        if (watchers is not null)
        {
            _extras!.Watchers = null;
            foreach (var watcher in watchers) watcher.SendSystemMessage(System, TerminatedMessage());
        }

        // A parent is told in any case, and once.
        if (Parent is not null && watchers?.Contains(Parent) != true) Parent.SendSystemMessage(System, TerminatedMessage());
    }

    private Terminated TerminatedMessage() => new() { Who = Self, Why = TerminatedReason.Stopped };
}
