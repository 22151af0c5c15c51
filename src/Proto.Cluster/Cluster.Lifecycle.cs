using Microsoft.Extensions.Logging;
using Proto.Remote;

namespace Proto.Cluster;

/// <summary>Starting and stopping: what was begun is undone in the reverse order, each step within its time.</summary>
public partial class Cluster
{
    static readonly TimeSpan TellWaiting = TimeSpan.FromSeconds(10);

    /// <summary>Steps before the actor system's, and one to spare.</summary>
    const int StepsToLeave = 6;

    readonly Stack<StopStep> _stopSteps = new();
    readonly CancellationTokenSource _stopping = new();
    readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    State _state;
    string _stopReason = "";

    enum State
    {
        New,
        Started,
        Stopping,
    }

    sealed record StopStep(string Name, Func<bool, Task> Stop);

    /// <summary>
    /// Leaves and stops; gracefully, the others are told first. Each step may take <see cref="ClusterConfig.ShutdownStepTimeout"/> at most, and
    /// the next follows whatever it did: this always completes. Further calls wait for the first.
    /// </summary>
    public async Task ShutdownAsync(bool graceful = true, string reason = "")
    {
        if (!BeginStopping(reason))
        {
            await _shutdownCompleted.Task;
            return;
        }

        LogStopping(_logger, System.Address, reason);
        _joined.TrySetCanceled();
        _stopping.Cancel();
        _memberList?.Stop();
        while (TryTakeStep() is { } step) await StepAsync(step.Name, () => step.Stop(graceful));
        LogStopped(_logger, System.Address);
        _shutdownCompleted.TrySetResult();
        // Apart: handlers of the process's exit may wait for this method's caller.
        if (Config.ExitOnShutdown) _ = System.Config.Runtime.Run(Exit);
    }

    TimeSpan IActorSystemLifecycle.ShutdownTimeout => StepsToLeave * Config.ShutdownStepTimeout;

    /// <summary>The system may be shut down by this cluster, which then waits for the system: so only until the cluster has been left.</summary>
    Task IActorSystemLifecycle.BeforeActorsStopAsync(string reason)
    {
        _ = ShutdownAsync(graceful: true, reason);
        return _left.Task;
    }

    async Task StartAsync(bool isClient)
    {
        BeginStarting();
        var step = "remoting";
        try
        {
            await WhileNotStopping(Remote.StartAsync());
            step = "member list";
            AssembleMemberList(isClient);
            // The other way around when it stops: others start its virtual actors anew as soon as they know that it left.
            var providerBegun = false;
            UndoWith("cluster provider", graceful => providerBegun ? Provider.ShutdownAsync(graceful) : Task.CompletedTask);
            UndoWith("announcement", graceful => graceful ? Gossip.AnnounceLeavingAsync() : Task.CompletedTask);
            step = "identity lookup";
            UndoWith(step, _ => IdentityLookup.ShutdownAsync());
            await WhileNotStopping(IdentityLookup.SetupAsync(this, isClient ? [] : GetClusterKinds(), isClient));
            step = "cluster provider";
            providerBegun = true;
            await WhileNotStopping(isClient ? Provider.StartClientAsync(this) : Provider.StartMemberAsync(this));
            step = "topology";
            await WaitForTopologyAsync();
        }
        catch (Exception failure)
        {
            if (IsStopping) throw new OperationCanceledException("the cluster was shut down before it had joined", failure);
            LogStartFailed(_logger, failure, System.Address, step);
            await ShutdownAsync(reason: $"the start failed: {failure.Message}");
            throw;
        }

        if (_joined.TrySetResult()) LogJoined(_logger, System.Address, Config.ClusterName);
    }

    void AssembleMemberList(bool isClient)
    {
        if (!isClient) ActivateKinds();
        _memberList = new MemberList(this, isClient);
        _context = Config.ClusterContextProducer(this);
        var subscriptions = Subscribe();
        UndoWith("subscriptions", _ => EndAll(subscriptions));
        System.Root.SpawnNamedSystem(Props.FromProducer(() => new CacheInvalidator()), CacheInvalidator.Name);
        if (isClient) return;
        System.Root.SpawnNamedSystem(Props.FromProducer(() => new EventStreamActor()), EventStreamActor.Name);
        UndoWith("gossip", _ => Gossip.StopAsync());
        Gossip.Start();
    }

    void ActivateKinds()
    {
        foreach (var kind in Config.ClusterKinds)
        {
            var strategy = kind.StrategyBuilder?.Invoke(this);
            lock (_gate) _kinds[kind.Name] = new ActivatedClusterKind(kind.Name, kind.Props, strategy, kind.CanSpawnIdentity);
        }
    }

    /// <summary>Returns what ends each of them.</summary>
    List<Action> Subscribe()
    {
        var topology = System.EventStream.Subscribe<ClusterTopology>(change =>
        {
            foreach (var left in change.Left) PidCache.RemoveByMember(left);
        });
        var terminated = System.EventStream.Subscribe<EndpointTerminatedEvent>(lost =>
        {
            if (lost.Address is { } address) PidCache.RemoveByAddress(address);
            Connections.Lost(lost);
        });
        var ending = System.EventStream.Subscribe<ActivationTerminating>(activation => PidCache.Ended(activation.ClusterIdentity, activation.Pid));
        var ended = System.EventStream.Subscribe<ActivationTerminated>(activation => PidCache.Ended(activation.ClusterIdentity, activation.Pid));
        var blocked = System.EventStream.Subscribe<MemberBlocked>(_ => MemberList.Refresh());
        var cacheTimer = System.Config.TimeProvider.CreateTimer(
            _ => PidCache.RemoveIdle(Config.RemotePidCacheTimeToLive), null, Config.RemotePidCacheClearInterval, Config.RemotePidCacheClearInterval);
        List<Action> ends =
        [
            topology.Unsubscribe, terminated.Unsubscribe, ending.Unsubscribe, ended.Unsubscribe, blocked.Unsubscribe, cacheTimer.Dispose,
        ];
        if (System.Metrics.Enabled) ends.Add(new MembershipMetrics(this).Dispose);
        return ends;
    }

    static Task EndAll(List<Action> ends)
    {
        foreach (var end in ends) end();
        return Task.CompletedTask;
    }

    async Task WaitForTopologyAsync()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, System.Shutdown);
        var started = MemberList.Started;
        while (!started.IsCompleted)
        {
            try
            {
                await started.OnThisContext().WaitAsync(TellWaiting, System.Config.TimeProvider, end.Token);
            }
            catch (TimeoutException)
            {
                LogWaiting(_logger, System.Address);
            }
        }

        await started;
    }

    Task WhileNotStopping(Task step) => step.OnThisContext().WaitAsync(_stopping.Token);

    async Task StepAsync(string step, Func<Task> stop)
    {
        try
        {
            await System.Config.Runtime.Run(stop).OnThisContext().WaitAsync(Config.ShutdownStepTimeout, System.Config.TimeProvider);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogStepFailed(_logger, failure, step);
        }
    }

    Task ShutdownSystem()
    {
        _left.TrySetResult();
        return System.ShutdownAsync(_stopReason);
    }

    Task Exit()
    {
        ExitProcess(0);
        return Task.CompletedTask;
    }

    void BeginStarting()
    {
        lock (_gate)
        {
            if (_state == State.Stopping) throw new InvalidOperationException("the cluster was shut down: a new one needs a new actor system");
            if (_state == State.Started) throw new InvalidOperationException("a cluster is started once");
            _state = State.Started;
        }
    }

    bool BeginStopping(string reason)
    {
        lock (_gate)
        {
            if (_state == State.Stopping) return false;
            _state = State.Stopping;
            _stopReason = reason;
            return true;
        }
    }

    /// <summary>Called before the part is begun: a part that fails half-way is stopped too.</summary>
    void UndoWith(string name, Func<bool, Task> stop)
    {
        lock (_gate)
        {
            if (_state == State.Stopping) throw new OperationCanceledException("the cluster is being shut down");
            _stopSteps.Push(new StopStep(name, stop));
        }
    }

    StopStep? TryTakeStep()
    {
        lock (_gate) return _stopSteps.TryPop(out var step) ? step : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} joined the cluster '{ClusterName}'")]
    static partial void LogJoined(ILogger logger, string address, string clusterName);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} waits for a topology that it is part of")]
    static partial void LogWaiting(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Address} did not start, at the step {Step}; stopping what was started")]
    static partial void LogStartFailed(ILogger logger, Exception failure, string address, string step);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} leaves the cluster: {Reason}")]
    static partial void LogStopping(ILogger logger, string address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} has left the cluster")]
    static partial void LogStopped(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "Shutdown of the {Step} did not complete; going on")]
    static partial void LogStepFailed(ILogger logger, Exception failure, string step);
}
