namespace ActorCluster.Simulation.Histories;

/// <summary>
/// Collects the operations of many clients in one total order of invocations and returns. Safe to use from many threads
/// (tests with real processes do): an operation is stamped before its request leaves and after its reply arrived, so the
/// recorded interval contains the true one.
/// </summary>
public sealed class HistoryRecorder
{
    readonly Lock _gate = new();
    readonly List<Operation> _operations = [];
    long _clock;

    /// <summary>Stamps an invocation. Every invocation must be ended by one of the calls of the returned operation.</summary>
    public PendingOperation Invoke(int client, string key, OperationKind kind, string? argument = null)
    {
        lock (_gate)
        {
            var pending = new PendingOperation(this, _operations.Count, new Operation(
                client, key, kind, argument, OperationOutcome.Unknown, null, _clock++, long.MaxValue));
            _operations.Add(pending.Operation);
            return pending;
        }
    }

    /// <summary>All operations so far; those still running count as Unknown.</summary>
    public IReadOnlyList<Operation> Operations
    {
        get
        {
            lock (_gate) return [.. _operations];
        }
    }

    internal Operation End(int slot, OperationOutcome outcome, string? result)
    {
        lock (_gate)
        {
            var returned = _clock++;
            return _operations[slot] = _operations[slot] with
            {
                Outcome = outcome,
                Result = result,
                Returned = outcome == OperationOutcome.Unknown ? long.MaxValue : returned,
            };
        }
    }
}

/// <summary>An operation that was invoked and has not ended.</summary>
public sealed class PendingOperation
{
    readonly HistoryRecorder _recorder;
    readonly int _slot;

    internal PendingOperation(HistoryRecorder recorder, int slot, Operation operation)
    {
        _recorder = recorder;
        _slot = slot;
        Operation = operation;
    }

    public Operation Operation { get; private set; }

    public void Ok(string? result = null) => Operation = _recorder.End(_slot, OperationOutcome.Ok, result);

    public void NotExecuted() => Operation = _recorder.End(_slot, OperationOutcome.NotExecuted, null);

    public void Unknown() => Operation = _recorder.End(_slot, OperationOutcome.Unknown, null);
}
