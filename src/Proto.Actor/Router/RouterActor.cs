namespace Proto.Router;

/// <summary>
/// Looks after the routees of one router: forgets those that end. A pool, whose routees are its children, replaces them after a pause that grows
/// while they keep ending, and ends itself after them when it is poisoned.
/// </summary>
/// <param name="routees">Shared with the process that routes.</param>
/// <param name="routeeProps">Of a pool; null for a group.</param>
/// <param name="poolSize">Of a pool.</param>
internal sealed class RouterActor(RouteeSet routees, Props? routeeProps, int poolSize) : IActor
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    /// <summary>A pool that lost no routee for this long replaces the next one after the first pause again.</summary>
    private static readonly TimeSpan s_calm = TimeSpan.FromSeconds(10);

    private readonly HashSet<PID> _ownRoutees = [];
    private OneShotTimer? _replacing;
    private long _lastLost;
    private int _lostInARow;
    private bool _poisoned;
    private bool _ends;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                Start(context);
                break;
            case RouteeAdded added:
                context.Watch(added.Pid);
                break;
            case RouteeRemoved removed:
                Removed(context, removed.Pid);
                break;
            case Terminated terminated:
                Ended(context, terminated.Who);
                break;
            case ReplaceRoutee:
                if (!_poisoned) Fill(context);
                break;
            case PoisonRoutees:
                Poison(context);
                break;
            case Stopping or Restarting:
                _ends = true;
                _replacing?.Dispose();
                break;
        }

        return Task.CompletedTask;
    }

    private void Start(IContext context)
    {
        if (routeeProps is null)
        {
            foreach (var pid in routees.Current) context.Watch(pid);
            return;
        }

        // Normally they were spawned with the router. After a restart they are gone, and those of the routees that were added are still watched.
        _ownRoutees.UnionWith(context.Children);
        Fill(context);
    }

    private void Fill(IContext context)
    {
        while (_ownRoutees.Count < poolSize)
        {
            var pid = context.Spawn(routeeProps!);
            _ownRoutees.Add(pid);
            routees.Add(pid);
        }
    }

    private void Removed(IContext context, PID pid)
    {
        if (_ownRoutees.Remove(pid)) poolSize--;
        else context.Unwatch(pid);
    }

    private void Ended(IContext context, PID pid)
    {
        routees.Remove(pid);
        var wasOwn = _ownRoutees.Remove(pid);
        if (_poisoned) StopWhenAlone(context);
        else if (wasOwn && !_ends) ReplaceLater(context);
    }

    private void ReplaceLater(IContext context)
    {
        var time = context.System.Config.TimeProvider;
        if (_lostInARow > 0 && time.GetElapsedTime(_lastLost) > s_calm) _lostInARow = 0;
        _lastLost = time.GetTimestamp();
        _lostInARow++;

        var (system, self) = (context.System, context.Self);
        _replacing?.Dispose();
        _replacing = OneShotTimer.Start(time, Backoff.After(_lostInARow, s_firstPause, s_longestPause), () => self.SendUserMessage(system, ReplaceRoutee.Instance));
    }

    private void Poison(IContext context)
    {
        _poisoned = true;
        _replacing?.Dispose();
        foreach (var pid in context.Children) context.Poison(pid);
        StopWhenAlone(context);
    }

    private static void StopWhenAlone(IContext context)
    {
        if (context.Children.Count == 0) context.Stop(context.Self);
    }
}
