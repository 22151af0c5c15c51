namespace Proto.Cluster.Placement;

/// <summary>
/// What a kind's own supervisor strategy sees: one activation and nothing above it. The actor that hosts it hosts the activations of all
/// kinds, and what befell it would end them all.
/// </summary>
sealed class ActivationSupervisor(ISupervisor host, PID activation) : ISupervisor
{
    public IReadOnlyCollection<PID> Children => [activation];

    public void EscalateFailure(Exception reason, object? message) => host.StopChildren(activation);

    public void RestartChildren(Exception reason, params PID[] pids) => host.RestartChildren(reason, pids);

    public void StopChildren(params PID[] pids) => host.StopChildren(pids);

    public void ResumeChildren(params PID[] pids) => host.ResumeChildren(pids);
}
