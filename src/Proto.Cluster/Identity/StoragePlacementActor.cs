using Microsoft.Extensions.Logging;
using Proto.Cluster.Placement;

namespace Proto.Cluster.Identity;

/// <summary>Hosts activations that have a lock of the storage. An activation's PID is given out when the storage has recorded it; without a record it ends.</summary>
sealed partial class StoragePlacementActor : IActor
{
    const int MaxRemovals = 5;
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    readonly Cluster _cluster;
    readonly IIdentityStorage _storage;
    readonly ActivationHost _host;
    readonly ILogger _logger;
    readonly HashSet<ClusterIdentity> _unrecorded = [];

    StoragePlacementActor(Cluster cluster, IIdentityStorage storage, ActivationHost host)
    {
        (_cluster, _storage, _host) = (cluster, storage, host);
        _logger = cluster.System.LoggerFactory.CreateLogger<StoragePlacementActor>();
    }

    public static Props Props(Cluster cluster, IIdentityStorage storage) => ActivationHost.PropsOf(cluster, host => new StoragePlacementActor(cluster, storage, host));

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case ActivationRequest { ClusterIdentity: null }: context.Respond(ActivationHost.RefusedWithoutIdentity()); break;
            case ActivationRequest request: Activate(context, request); break;
            case SuspectActivation { Activation: { ClusterIdentity: not null, Pid: not null } } suspect: Check(context, suspect.Activation); break;
            case PlacementDiagnostics: context.Respond(new PlacementDiagnostics("", _host.Count, [])); break;
            case Terminated terminated: Ended(context, terminated.Who); break;
            case Drain: _host.Close(context); break;
        }

        return Task.CompletedTask;
    }

    void Activate(IContext context, ActivationRequest request)
    {
        var identity = request.ClusterIdentity;
        if (_unrecorded.Contains(identity)) context.Respond(ActivationHost.Refused(ActivationRefusal.RefusalHandOver, "its activation is being recorded"));
        else _host.Activate(context, identity, static () => null, (turn, response) => Record(turn, new SpawnLock(request.RequestId, identity), response));
    }

    void Record(IContext context, SpawnLock spawnLock, ActivationResponse response)
    {
        var activation = new Activation { ClusterIdentity = spawnLock.ClusterIdentity, Pid = response.Pid };
        _unrecorded.Add(spawnLock.ClusterIdentity);
        context.ReenterAfter(StoreAsync(spawnLock, response.Pid), stored =>
        {
            _unrecorded.Remove(spawnLock.ClusterIdentity);
            context.Respond(Recorded(context, activation, stored) ?? response);
        });
    }

    /// <summary>What is wrong with the record; null when it stands.</summary>
    ActivationResponse? Recorded(IContext context, Activation activation, Task stored)
    {
        if (stored.IsCompletedSuccessfully)
        {
            if (_host.Contains(activation)) return null;
            // It ended meanwhile, perhaps before it was recorded.
            Remove(context, activation, attempt: 1);
            return ActivationHost.Refused(ActivationRefusal.RefusalHandOver, "its activation ended at once");
        }

        var failure = stored.Exception?.GetBaseException();
        var reason = failure?.Message ?? "it was cancelled";
        LogNotRecorded(_logger, activation.ClusterIdentity.ToDiagnosticString(), reason);
        _host.End(context, activation.ClusterIdentity);
        // Without its lock the question is over; otherwise it is asked again, and here.
        return ActivationHost.Refused(
            failure is LockNotFoundException ? ActivationRefusal.RefusalNotOwner : ActivationRefusal.RefusalHandOver,
            $"the storage did not record its activation: {reason}");
    }

    async Task StoreAsync(SpawnLock spawnLock, PID pid) => await _storage.StoreActivation(
        _cluster.System.Id, spawnLock, pid, _cluster.System.Deadlines.After(_cluster.Config.ActorActivationTimeout));

    void Check(IContext context, Activation suspect)
    {
        if (!_host.Contains(suspect)) Remove(context, suspect, attempt: 1);
    }

    void Ended(IContext context, PID pid)
    {
        if (_host.Ended(context, pid) is { } ended) Remove(context, ended, attempt: 1);
    }

    /// <summary>A record that stays is found out by whoever uses it; so the attempts end.</summary>
    void Remove(IContext context, Activation ended, int attempt)
    {
        context.ReenterAfter(RemoveAsync(ended), done =>
        {
            if (done.IsCompletedSuccessfully) return;
            var reason = done.Exception?.GetBaseException().Message ?? "it was cancelled";
            if (attempt == MaxRemovals)
            {
                LogNotRemoved(_logger, ended.ClusterIdentity.ToDiagnosticString(), reason);
                return;
            }

            var pause = Task.Delay(Backoff.After(attempt, FirstPause, LongestPause), _cluster.System.Config.TimeProvider, context.CancellationToken);
            context.ReenterAfter(pause, () => Remove(context, ended, attempt + 1));
        });
    }

    async Task RemoveAsync(Activation ended) => await _storage.RemoveActivation(
        ended.ClusterIdentity, ended.Pid, _cluster.System.Deadlines.After(_cluster.Config.ActorActivationTimeout));

    [LoggerMessage(Level = LogLevel.Warning, Message = "The activation of {Identity} ends because the storage did not record it: {Reason}")]
    static partial void LogNotRecorded(ILogger logger, string identity, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The storage still has a record of {Identity}, which has ended: {Reason}")]
    static partial void LogNotRemoved(ILogger logger, string identity, string reason);
}
