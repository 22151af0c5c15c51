using System.Collections.Immutable;

namespace Proto.Cluster.Gossip;

/// <summary>A check as the gossip actor sees it.</summary>
interface IRunningConsensusCheck
{
    IImmutableSet<string> AffectedKeys { get; }

    void Run(GossipState state, IImmutableSet<string> memberIds);
}

/// <summary>The last outcome of one check, and those who wait for consensus.</summary>
sealed class ConsensusHandle<T>(IConsensusCheckDefinition<T> definition, TimeProvider time, Action<IRunningConsensusCheck> end)
    : IConsensusHandle<T>, IRunningConsensusCheck
{
    readonly Lock _gate = new();
    TaskCompletionSource<T> _consensus = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IImmutableSet<string> AffectedKeys => definition.AffectedKeys;

    public void Run(GossipState state, IImmutableSet<string> memberIds)
    {
        try
        {
            var (consensus, value) = definition.Check(state, memberIds);
            if (consensus) Reached(value);
            else Lost();
        }
        catch (Exception failure)
        {
            // The check is the user's: whoever waits for it gets the reason.
            Pending().TrySetException(failure);
        }
    }

    public Task<(bool consensus, T value)> TryGetConsensus(CancellationToken ct) => TryGetConsensus(Timeout.InfiniteTimeSpan, ct);

    public async Task<(bool consensus, T value)> TryGetConsensus(TimeSpan maxWait, CancellationToken ct)
    {
        Task<T> consensus;
        lock (_gate) consensus = _consensus.Task;
        try
        {
            return (true, await consensus.OnThisContext().WaitAsync(maxWait, time, ct));
        }
        catch (Exception end) when (end is OperationCanceledException or TimeoutException && !consensus.IsFaulted)
        {
            return (false, default!);
        }
    }

    /// <summary>Those who still wait go on without consensus.</summary>
    public void Dispose()
    {
        end(this);
        lock (_gate) _consensus.TrySetCanceled();
    }

    void Reached(T value)
    {
        lock (_gate)
        {
            if (_consensus.Task.IsCompletedSuccessfully && EqualityComparer<T>.Default.Equals(_consensus.Task.Result, value)) return;
            Pending().TrySetResult(value);
        }
    }

    void Lost() => Pending();

    /// <summary>A source without outcome. An outcome that is there is out of date.</summary>
    TaskCompletionSource<T> Pending()
    {
        lock (_gate)
        {
            if (_consensus.Task.IsCompleted && !_consensus.Task.IsCanceled)
                _consensus = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _consensus;
        }
    }
}
