using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>Supervises actors that the root context spawned with one strategy. Has no mailbox: it decides on the failing child's thread.</summary>
internal sealed partial class GuardianProcess : Process, ISupervisor, ISystemContext
{
    private readonly Lock _gate = new();
    private readonly HashSet<PID> _children = [];
    private readonly ISupervisorStrategy _strategy;
    private readonly ILogger _logger;

    public GuardianProcess(ActorSystem system, ISupervisorStrategy strategy) : base(system)
    {
        _strategy = strategy;
        _logger = system.LoggerFactory.CreateLogger<GuardianProcess>();
        Pid = system.ProcessRegistry.TryAdd($"guardian/{system.ProcessRegistry.NextId()}", this).pid;
    }

    public PID Pid { get; }

    ActorSystem ISystemContext.System => System;

    public IReadOnlyCollection<PID> Children
    {
        get
        {
            lock (_gate) return [.. _children];
        }
    }

    /// <summary>Called before the child can end, so that its end finds it here.</summary>
    public void Add(PID child)
    {
        lock (_gate) _children.Add(child);
    }

    public void Remove(PID child)
    {
        lock (_gate) _children.Remove(child);
    }

    /// <summary>There is nobody above: the children are stopped.</summary>
    public void EscalateFailure(Exception reason, object? message)
    {
        LogEscalated(_logger, Pid.ToDiagnosticString(), reason);
        StopChildren([.. Children]);
    }

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

    protected internal override void SendUserMessage(PID pid, object message) => System.DeadLetter.SendUserMessage(pid, message);

    protected internal override void SendSystemMessage(PID pid, SystemMessage message)
    {
        switch (message)
        {
            case Failure failure:
                Decide(failure);
                break;
            case Terminated terminated:
                Remove(terminated.Who);
                break;
        }
    }

    private void Decide(Failure failure)
    {
        try
        {
            _strategy.HandleFailure(this, failure.Who, failure.RestartStatistics, failure.Reason, failure.Message);
        }
        catch (Exception reason)
        {
            LogStrategyFailed(_logger, failure.Who.ToDiagnosticString(), reason);
            StopChildren(failure.Who);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The guardian's strategy failed to decide on {Child}, which is stopped")]
    private static partial void LogStrategyFailed(ILogger logger, string child, Exception reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A failure was escalated to the guardian {Guardian}; all its actors are stopped")]
    private static partial void LogEscalated(ILogger logger, string guardian, Exception reason);
}
