using Microsoft.Extensions.Logging;
using Proto.Cluster.Identity;
using Proto.Cluster.Placement;

namespace Proto.Cluster;

/// <summary>
/// Asks the cached PID, or the one that the identity lookup finds. When nothing was executed (no PID, or a dead letter) it tries again, with
/// growing pauses, until the caller's token ends; without a token, until <see cref="ClusterConfig.ActorRequestTimeout"/> is over. When a
/// message went out and no reply came, it may have been executed: the caller gets a <see cref="TimeoutException"/> and nothing is sent
/// again, unless the activation recognises repeated requests (<see cref="DeduplicationExtensions"/>): then the same activation is
/// asked again under the same request id.
/// </summary>
public sealed partial class DefaultClusterContext : IClusterContext
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    readonly Cluster _cluster;
    readonly IIdentityLookup _lookup;
    readonly ILocator? _locator;
    readonly PidCache _pidCache;
    readonly ClusterConfig _config;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly LogThrottle _throttle;
    long _lastRequestId;

    public DefaultClusterContext(Cluster cluster)
    {
        _cluster = cluster;
        _config = cluster.Config;
        _lookup = cluster.IdentityLookup;
        _locator = _lookup as ILocator;
        _pidCache = cluster.PidCache;
        _time = cluster.System.Config.TimeProvider;
        _logger = cluster.System.LoggerFactory.CreateLogger<DefaultClusterContext>();
        _throttle = new LogThrottle(_time, _config.MaxNumberOfEventsInRequestLogThrottlePeriod, _config.RequestLogThrottlePeriod);
    }

    public Task<T?> RequestAsync<T>(ClusterIdentity clusterIdentity, object message, ISenderContext context, CancellationToken ct)
    {
        var end = ct.CanBeCanceled ? ct : _cluster.System.Deadlines.After(_config.ActorRequestTimeout);
        Task<T?> asked = AskAsync<T>(clusterIdentity, message, context, end)!;
        return _config.LegacyRequestTimeoutBehavior ? NullWhenLate(asked) : asked;
    }

    static async Task<T?> NullWhenLate<T>(Task<T?> asked)
    {
        try
        {
            return await asked;
        }
        catch (TimeoutException)
        {
            return default;
        }
    }

    async Task<T> AskAsync<T>(ClusterIdentity clusterIdentity, object message, ISenderContext context, CancellationToken ct)
    {
        var begin = _cluster.Metrics.Begin();
        var whyNot = "";
        for (var attempt = 0; ; attempt++)
        {
            ThrowIfOver(clusterIdentity, attempt, whyNot, ct);
            if (attempt > 0) _cluster.Metrics.Retried(clusterIdentity.Kind, message);
            var fromCache = _pidCache.TryGet(clusterIdentity, out var pid, out var deduplicates);
            if (!fromCache)
            {
                var located = await ResolveAsync(clusterIdentity, ct);
                if (located.Pid is null)
                {
                    whyNot = located.WhyNot!;
                    await PauseAsync(attempt, ct);
                    continue;
                }

                (pid, deduplicates) = (located.Pid, located.Deduplicates);
            }

            try
            {
                var reply = deduplicates
                    ? await SendUntilAnsweredAsync<T>(clusterIdentity, pid!, message, context, ct)
                    : await SendAsync<T>(clusterIdentity, pid!, message, context, ct);
                _cluster.Metrics.Requested(begin, clusterIdentity.Kind, message, fromCache);
                return reply;
            }
            catch (DeadLetterException gone)
            {
                whyNot = gone.Message;
                await ForgetAsync(clusterIdentity, pid!, ct);
                await PauseAsync(attempt, ct);
            }
        }
    }

    async Task<T> SendAsync<T>(ClusterIdentity clusterIdentity, PID pid, object message, ISenderContext context, CancellationToken ct)
    {
        var lost = _cluster.Connections.LostToken(pid.Address);
        var deadline = _cluster.System.Deadlines.After(_config.ActorRequestTimeout);
        // Without a token of the caller's the two are mostly the same one.
        var end = AttemptToken.Rent(ct, deadline == ct ? CancellationToken.None : deadline, lost);
        try
        {
            return await context.RequestAsync<T>(pid, message, end.Token);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            // It may only be slow; but the next request shall look again.
            _pidCache.RemoveByVal(clusterIdentity, pid);
            var reason = lost.IsCancellationRequested || late is UnknownOutcomeException ? "the connection to its member was lost"
                : ct.IsCancellationRequested ? "the caller's time is over"
                : $"it did not answer within {_config.ActorRequestTimeout.TotalMilliseconds:F0} ms";
            throw MayHaveBeenExecuted(clusterIdentity, pid, message, reason, late);
        }
        catch (DeadLetterException gone) when (gone.PassedOnTo is not null)
        {
            throw MayHaveBeenExecuted(clusterIdentity, pid, message, $"it was passed on to {gone.PassedOnTo.ToDiagnosticString()}, which no longer exists", gone);
        }
        finally
        {
            end.Return();
        }
    }

    /// <summary>The activation knows a repeated request by its id, so it is safe to ask it again; another activation would not know it.</summary>
    async Task<T> SendUntilAnsweredAsync<T>(ClusterIdentity clusterIdentity, PID pid, object message, ISenderContext context, CancellationToken ct)
    {
        var request = RequestId.Ensure(message, context, () => $"{_cluster.System.Id}/{Interlocked.Increment(ref _lastRequestId)}");
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await SendAsync<T>(clusterIdentity, pid, request, context, ct);
            }
            catch (DeadLetterException gone) when (attempt > 0)
            {
                throw MayHaveBeenExecuted(clusterIdentity, pid, message, "its activation has ended since", gone);
            }
            catch (TimeoutException) when (!ct.IsCancellationRequested)
            {
                await PauseAsync(attempt, ct);
            }
        }
    }

    async Task<Located> ResolveAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        ThrowIfNobodyHosts(clusterIdentity.Kind);
        var begin = _cluster.Metrics.Begin();
        var epoch = _pidCache.Epoch;
        var located = _locator is null ? await LookUpAsync(clusterIdentity, ct) : await _locator.LocateAsync(clusterIdentity, ct);
        _cluster.Metrics.Resolved(begin, clusterIdentity.Kind);
        if (located.Pid is { } found) _pidCache.TryAdd(clusterIdentity, found, located.Deduplicates, epoch);
        else if (!ct.IsCancellationRequested && _throttle.TryEnter(out var suppressed))
            LogNotFound(_logger, clusterIdentity.ToDiagnosticString(), located.WhyNot!, suppressed);
        return located;
    }

    /// <summary>A lookup of somebody else's: it may hang, and may throw anything.</summary>
    async Task<Located> LookUpAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        var end = AttemptToken.Rent(ct, _cluster.System.Deadlines.After(_config.ActorActivationTimeout), CancellationToken.None);
        var lookup = Task.FromResult<PID?>(null);
        try
        {
            lookup = _lookup.GetAsync(clusterIdentity, end.Token);
            return await lookup.WaitAsync(end.Token) is { } pid ? new Located(pid, false, null) : Located.Nowhere("the identity lookup found nothing");
        }
        catch (Exception final) when (final is IdentityIsBlockedException or ActivationFailedException)
        {
            throw;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Nothing was sent: another lookup is safe.
            return Located.Nowhere($"the identity lookup failed: {failure.Message}");
        }
        finally
        {
            // A lookup that still runs still has the token.
            if (lookup.IsCompleted) end.Return();
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
            if (!ct.IsCancellationRequested && _throttle.TryEnter(out _)) LogRemoveFailed(_logger, failure, clusterIdentity.ToDiagnosticString());
        }
    }

    /// <summary>The first retry comes at once, the next after 5, 10, 20, … ms, at most <see cref="LongestPause"/>.</summary>
    async Task PauseAsync(int attempt, CancellationToken ct)
    {
        if (attempt == 0) return;
        await Task.Delay(Backoff.After(attempt, FirstPause, LongestPause), _time, ct)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    void ThrowIfNobodyHosts(string kind)
    {
        // Before the first topology nobody is known at all, which says nothing about kinds.
        var members = _cluster.MemberList;
        if (!members.IsEmpty && !members.AnyoneHosts(kind)) throw new KindNotHostedException(kind);
    }

    void ThrowIfOver(ClusterIdentity clusterIdentity, int attempts, string whyNot, CancellationToken ct)
    {
        // Not before: what the activations do when they are stopped may need others.
        if (_cluster.System.Shutdown.IsCancellationRequested)
            throw new OperationCanceledException("the cluster of this system has been shut down: nothing was sent");
        if (ct.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"{clusterIdentity.ToDiagnosticString()} could not be reached in {attempts} attempts before the caller's time was over: nothing was executed"
                + (whyNot.Length > 0 ? $"; at last: {whyNot}" : ""));
        }
    }

    static TimeoutException MayHaveBeenExecuted(ClusterIdentity clusterIdentity, PID pid, object message, string reason, Exception cause) => new(
        $"the request {MessageEnvelope.UnwrapMessage(message)!.GetType().Name} to {clusterIdentity.ToDiagnosticString()} at {pid.ToDiagnosticString()} may have been executed: {reason}",
        cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Identity} was not found: {Reason}; trying again ({Suppressed} more such events were not logged)")]
    static partial void LogNotFound(ILogger logger, string identity, string reason, int suppressed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lookup could not forget the PID of {Identity}")]
    static partial void LogRemoveFailed(ILogger logger, Exception failure, string identity);
}
