using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Identity;

/// <summary>Answers this node's questions from the storage: one search per identity at a time, whoever asks. Removes what members that left have recorded.</summary>
sealed partial class IdentityStorageWorker : IActor
{
    /// <summary>More who ask for one identity are told to ask again.</summary>
    internal const int MaxWaiting = 10_000;
    const int MaxRemovals = 5;

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    readonly Cluster _cluster;
    readonly IIdentityStorage _storage;
    readonly StorageSearch _search;
    readonly ILogger _logger;
    readonly Dictionary<ClusterIdentity, List<PID>> _waiting = [];
    EventStreamSubscription<object>? _topologies;

    public IdentityStorageWorker(Cluster cluster, IIdentityStorage storage)
    {
        (_cluster, _storage) = (cluster, storage);
        _search = new StorageSearch(cluster, storage);
        _logger = cluster.System.LoggerFactory.CreateLogger<IdentityStorageWorker>();
    }

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: _topologies = context.System.EventStream.Subscribe<ClusterTopology>(context.System.Root, context.Self); break;
            case ActivationRequest { ClusterIdentity: null }: context.Respond(Placement.ActivationHost.RefusedWithoutIdentity()); break;
            case ActivationRequest request: Find(context, request.ClusterIdentity); break;
            case ClusterTopology topology: RemoveThoseThatLeft(context, topology); break;
            case Restarting or Stopping: _topologies?.Unsubscribe(); break;
        }

        return Task.CompletedTask;
    }

    void Find(IContext context, ClusterIdentity identity)
    {
        if (context.Sender is not { } sender) return;
        if (_waiting.TryGetValue(identity, out var others))
        {
            if (others.Count < MaxWaiting) others.Add(sender);
            else context.Respond(Placement.ActivationHost.Refused(ActivationRefusal.RefusalHandOver, $"{others.Count} requests wait for it"));
            return;
        }

        _waiting.Add(identity, [sender]);
        context.ReenterAfter(_search.RunAsync(identity, sender.Address), found =>
        {
            var response = found.IsCompletedSuccessfully
                ? found.Result
                : Placement.ActivationHost.Refused(ActivationRefusal.RefusalHandOver, $"the identity storage failed: {found.Exception?.GetBaseException().Message}");
            _waiting.Remove(identity, out var waiting);
            foreach (var asker in waiting!) context.Send(asker, response);
        });
    }

    /// <summary>One member does it; what is missed is found out by whoever uses the record.</summary>
    void RemoveThoseThatLeft(IContext context, ClusterTopology topology)
    {
        var first = topology.Members.Select(member => member.Id).Min(StringComparer.Ordinal);
        if (!string.Equals(first, _cluster.System.Id, StringComparison.Ordinal)) return;
        foreach (var member in topology.Left) Remove(context, member.Id, attempt: 1);
    }

    void Remove(IContext context, string memberId, int attempt)
    {
        context.ReenterAfter(RemoveAsync(memberId), done =>
        {
            if (done.IsCompletedSuccessfully) return;
            var reason = done.Exception?.GetBaseException().Message ?? "it was cancelled";
            if (attempt == MaxRemovals)
            {
                LogNotRemoved(_logger, memberId, reason);
                return;
            }

            var pause = Task.Delay(Backoff.After(attempt, FirstPause, LongestPause), _cluster.System.Config.TimeProvider, context.CancellationToken);
            context.ReenterAfter(pause, () => Remove(context, memberId, attempt + 1));
        });
    }

    async Task RemoveAsync(string memberId) =>
        await _storage.RemoveMember(memberId, _cluster.System.Deadlines.After(_cluster.Config.ActorActivationTimeout));

    [LoggerMessage(Level = LogLevel.Warning, Message = "The storage still has records of member {MemberId}, which left: {Reason}")]
    static partial void LogNotRemoved(ILogger logger, string memberId, string reason);
}
