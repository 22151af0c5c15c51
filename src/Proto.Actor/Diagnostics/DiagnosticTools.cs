namespace Proto.Diagnostics;

/// <summary>Looks into a running system.</summary>
public static class DiagnosticTools
{
    /// <summary>
    /// What a local process is and, for an actor, what it is doing: its type, life, family, queue and own description
    /// (<see cref="IActorDiagnostics"/> or <see cref="ActorSystemConfig.DiagnosticsSerializer"/>). An actor answers between two messages.
    /// </summary>
    /// <exception cref="ArgumentException">The PID is of another system.</exception>
    /// <exception cref="DeadLetterException">There is no such process.</exception>
    /// <exception cref="TimeoutException">The actor was busy with one message for all of <see cref="ActorSystemConfig.ActorRequestTimeout"/>.</exception>
    public static Task<string> GetDiagnosticsString(ActorSystem system, PID pid)
    {
        if (!system.ProcessRegistry.IsLocal(pid.Address)) throw new ArgumentException($"{pid.ToDiagnosticString()} is not a process of this system", nameof(pid));

        var process = system.ProcessRegistry.GetLocal(pid.Id);
        if (process is DeadLetterProcess && pid.Id != system.DeadLetterPid.Id) return Task.FromException<string>(new DeadLetterException(pid));
        if (process.Context is null) return Task.FromResult($"PID: {pid.ToDiagnosticString()}{Environment.NewLine}Process: {process.GetType().Name}");

        var request = new ProcessDiagnosticsRequest(pid);
        process.SendSystemMessage(pid, request);
        return request.Answer.OnThisContext().WaitAsync(system.Config.ActorRequestTimeout, system.Config.TimeProvider);
    }
}

/// <summary>Asks a local actor to describe itself.</summary>
internal sealed class ProcessDiagnosticsRequest(PID pid) : SystemMessage
{
    private readonly TaskCompletionSource<string> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<string> Answer => _answer.Task;

    public void Describe(Func<string> description)
    {
        try
        {
            _answer.TrySetResult(description());
        }
        catch (Exception reason)
        {
            // The actor's own description failed: that is for who asked, not for its supervisor.
            _answer.TrySetException(reason);
        }
    }

    public void NotFound() => _answer.TrySetException(new DeadLetterException(pid));
}
