using Microsoft.Extensions.Logging;
using Proto.Cluster.Identity;

namespace Proto.Cluster;

/// <summary>
/// Asks the cached PID, or the one that the identity lookup finds. When nothing happened (no PID, or a dead letter) it tries again
/// until the caller's token ends. When a message went out and no reply came, it may have been executed: the caller gets a
/// <see cref="TimeoutException"/> and nothing is sent again. It comes after <see cref="ClusterConfig.ActorRequestTimeout"/>, at the end
/// of the caller's token, or as soon as the connection to the activation's member is lost.
/// </summary>
public sealed partial class DefaultClusterContext : IClusterContext
{
    static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(100);

    readonly Cluster _cluster;
    readonly IIdentityLookup _lookup;
    readonly PidCache _pidCache;
    readonly ClusterConfig _config;
    readonly TimeProvider _time;
    readonly ILogger _logger;

    public DefaultClusterContext(Cluster cluster)
    {
        _cluster = cluster;
        _config = cluster.Config;
        _lookup = cluster.IdentityLookup;
        _pidCache = cluster.PidCache;
        _time = cluster.System.Config.TimeProvider;
        _logger = cluster.System.LoggerFactory.CreateLogger<DefaultClusterContext>();
    }

    public async Task<T?> RequestAsync<T>(ClusterIdentity clusterIdentity, object message, ISenderContext context, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            ThrowIfOver(clusterIdentity, attempt, ct);
            if (!_pidCache.TryGet(clusterIdentity, out var pid))
            {
                ThrowIfNobodyHosts(clusterIdentity.Kind);
                pid = await LookUpAsync(clusterIdentity, ct);
                if (pid is null)
                {
                    await PauseAsync(attempt, ct);
                    continue;
                }

                _pidCache.TryAdd(clusterIdentity, pid);
            }

            try
            {
                return await SendAsync<T>(clusterIdentity, pid, message, context, ct);
            }
            catch (DeadLetterException)
            {
                await ForgetAsync(clusterIdentity, pid, ct);
                await PauseAsync(attempt, ct);
            }
            catch (TimeoutException) when (_config.LegacyRequestTimeoutBehavior)
            {
                return default;
            }
        }
    }

    async Task<T> SendAsync<T>(ClusterIdentity clusterIdentity, PID pid, object message, ISenderContext context, CancellationToken ct)
    {
        var lost = _cluster.Connections.LostToken(pid.Address);
        var deadline = _cluster.System.Deadlines.After(_config.ActorRequestTimeout);
        var end = AttemptToken.Rent(ct, deadline, lost);
        try
        {
            return await context.RequestAsync<T>(pid, message, end.Token);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            // It may only be slow; but the next request shall look again.
            _pidCache.RemoveByVal(clusterIdentity, pid);
            var reason = lost.IsCancellationRequested ? "the connection to its member was lost"
                : ct.IsCancellationRequested ? "the caller's time is over"
                : $"it did not answer within {_config.ActorRequestTimeout.TotalMilliseconds:F0} ms";
            throw new TimeoutException(
                $"the request {message.GetType().Name} to {clusterIdentity.ToDiagnosticString()} at {pid.ToDiagnosticString()} may have been executed: {reason}", late);
        }
        finally
        {
            end.Return();
        }
    }

    async Task<PID?> LookUpAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        try
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, _cluster.System.Deadlines.After(_config.ActorActivationTimeout));
            return await _lookup.GetAsync(clusterIdentity, end.Token).WaitAsync(end.Token);
        }
        catch (IdentityIsBlockedException)
        {
            throw;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Nothing was sent: another lookup is safe.
            if (!ct.IsCancellationRequested) LogLookupFailed(_logger, failure, clusterIdentity.ToDiagnosticString());
            return null;
        }
    }

    async Task ForgetAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        _pidCache.RemoveByVal(clusterIdentity, pid);
        try
        {
            await _lookup.RemovePidAsync(clusterIdentity, pid, ct).WaitAsync(ct);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            if (!ct.IsCancellationRequested) LogRemoveFailed(_logger, failure, clusterIdentity.ToDiagnosticString());
        }
    }

    /// <summary>The first retry comes at once, the next after 5, 10, 20, … ms, at most <see cref="MaxPause"/>.</summary>
    async Task PauseAsync(int attempt, CancellationToken ct)
    {
        if (attempt == 0) return;
        var pause = TimeSpan.FromMilliseconds(5 * (1 << Math.Min(attempt - 1, 5)));
        await Task.Delay(pause < MaxPause ? pause : MaxPause, _time, ct)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    void ThrowIfNobodyHosts(string kind)
    {
        // Before the first topology nobody is known at all, which says nothing about kinds.
        var members = _cluster.MemberList;
        if (!members.IsEmpty && !members.AnyoneHosts(kind)) throw new KindNotHostedException(kind);
    }

    void ThrowIfOver(ClusterIdentity clusterIdentity, int attempts, CancellationToken ct)
    {
        if (_cluster.IsStopping) throw new OperationCanceledException("the cluster of this system has been shut down: nothing was sent");
        if (ct.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"{clusterIdentity.ToDiagnosticString()} could not be reached in {attempts} attempts before the caller's time was over: nothing was executed");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lookup of {Identity} failed; trying again")]
    static partial void LogLookupFailed(ILogger logger, Exception failure, string identity);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lookup could not forget the PID of {Identity}")]
    static partial void LogRemoveFailed(ILogger logger, Exception failure, string identity);
}
