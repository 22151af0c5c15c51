namespace Proto;

internal sealed partial class ActorContext
{
    public void ReenterAfter<T>(Task<T> target, Func<Task<T>, Task> action) => Reenter(target, () => action(target));

    public void ReenterAfter(Task target, Func<Task, Task> action) => Reenter(target, () => action(target));

    public void ReenterAfter<T>(Task<T> target, Action<Task<T>> action) =>
        Reenter(target, () =>
        {
            action(target);
            return Task.CompletedTask;
        });

    public void ReenterAfter(Task target, Action<Task> action) =>
        Reenter(target, () =>
        {
            action(target);
            return Task.CompletedTask;
        });

    public void ReenterAfter(Task target, Action action) =>
        Reenter(target, () =>
        {
            action();
            return Task.CompletedTask;
        });

    public void ReenterAfterCancellation(CancellationToken cancellationToken, Action onCancelled)
    {
        if (!cancellationToken.CanBeCanceled) return;

        var endWithInstance = default(CancellationTokenRegistration);
        var continuation = new Continuation(
            () =>
            {
                endWithInstance.Unregister();
                onCancelled();
                return Task.CompletedTask;
            },
            _messageOrEnvelope,
            CurrentInstance());
        var registration = cancellationToken.UnsafeRegister(_ => _mailbox.PostSystemMessage(continuation), null);
        // Each of the token and this instance may outlive the other by far, and keeps nothing for it. Set before the continuation's turn can come.
        endWithInstance = CancellationToken.UnsafeRegister(static state => ((CancellationTokenRegistration)state!).Unregister(), registration);
    }

    private void Reenter(Task target, Func<Task> action)
    {
        var continuation = new Continuation(action, _messageOrEnvelope, CurrentInstance());
        if (target.IsCompleted) _mailbox.PostSystemMessage(continuation);
        else target.GetAwaiter().UnsafeOnCompleted(() => _mailbox.PostSystemMessage(continuation));
    }

    private IActor CurrentInstance() =>
        _actor ?? throw new InvalidOperationException("an actor can reenter only while it handles a message, not in its constructor");

    private ValueTask Continue(Continuation continuation)
    {
        // Its closure belongs to an instance that is gone.
        if (_state == ContextState.Stopped || !ReferenceEquals(continuation.Actor, _actor)) return default;
        if (DeferWhileUndecided(continuation)) return default;

        _messageOrEnvelope = continuation.Message;
        return Finish(continuation.Action());
    }
}
