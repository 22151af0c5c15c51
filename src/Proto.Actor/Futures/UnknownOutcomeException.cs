namespace Proto;

/// <summary>
/// A request may have been executed, and nobody will ever say: the connection that carried it was lost before an answer came. It is told as soon
/// as that is known. It is a <see cref="TimeoutException"/>, because callers must treat both alike: only a <see cref="DeadLetterException"/>
/// says that nothing was executed.
/// </summary>
public sealed class UnknownOutcomeException : TimeoutException
{
    public UnknownOutcomeException(PID pid, string reason)
        : base($"the request to {pid.ToDiagnosticString()} may have been executed: {reason}") => Pid = pid;

    public PID Pid { get; }
}
