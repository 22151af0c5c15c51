using System.Collections.Concurrent;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

/// <summary>Virtual actors of a whole cluster that report when they run, and stop only when the test lets them.</summary>
sealed class RunningActivations
{
    public const string Kind = "slow to stop";

    readonly ConcurrentDictionary<string, int> _running = new(StringComparer.Ordinal);
    readonly TaskCompletionSource _mayStop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly SemaphoreSlim _stopping = new(0);
    int _overlaps;
    int _starts;

    /// <summary>Times at which an identity was started while it ran.</summary>
    public int Overlaps => _overlaps;

    public int Starts => _starts;

    public void LetStop() => _mayStop.TrySetResult();

    /// <summary>One more activation has begun to stop.</summary>
    public Task AnotherIsStopping() => _stopping.WaitAsync(ClusterFixture.Soon());

    public Props Props => Props.FromFunc(async context =>
    {
        var identity = context.ClusterIdentity()!.Identity;
        switch (context.Message)
        {
            case Started:
                Interlocked.Increment(ref _starts);
                if (_running.AddOrUpdate(identity, 1, (_, count) => count + 1) > 1) Interlocked.Increment(ref _overlaps);
                break;
            case Stopping:
                _stopping.Release();
                await _mayStop.Task;
                break;
            case Stopped:
                _running.AddOrUpdate(identity, 0, (_, count) => count - 1);
                break;
            case Add:
                context.Respond(new Total { Identity = identity, Host = context.System.Address });
                break;
        }
    });
}
