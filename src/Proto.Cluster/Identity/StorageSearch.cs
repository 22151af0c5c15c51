using Proto.Cluster.Placement;

namespace Proto.Cluster.Identity;

/// <summary>Finds one identity's activation in the storage, or has it activated under the storage's lock.</summary>
sealed class StorageSearch(Cluster cluster, IIdentityStorage storage)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Takes <see cref="ClusterConfig.ActorActivationTimeout"/> at most.</summary>
    /// <exception cref="StorageFailureException">The storage failed; nothing is known then.</exception>
    public async Task<ActivationResponse> RunAsync(ClusterIdentity identity, string askerAddress)
    {
        var ct = cluster.System.Deadlines.After(cluster.Config.ActorActivationTimeout);
        var begin = cluster.Metrics.Begin();
        if (await UsableAsync(identity, await storage.TryGetExistingActivation(identity, ct), ct) is { } existing) return existing;

        var locking = cluster.Metrics.Begin();
        var spawnLock = await storage.TryAcquireLock(identity, ct);
        cluster.Metrics.TriedToAcquireLock(locking, identity.Kind);
        if (spawnLock is null)
        {
            var waiting = cluster.Metrics.Begin();
            var stored = await storage.WaitForActivation(identity, ct);
            cluster.Metrics.WaitedForActivation(waiting, identity.Kind);
            return await UsableAsync(identity, stored, ct)
                ?? ActivationHost.Refused(ActivationRefusal.RefusalHandOver, "another node holds its lock and has not activated it");
        }

        var response = await ActivateAsync(spawnLock, askerAddress, ct);
        cluster.Metrics.GotWithGlobalLock(begin, identity.Kind);
        return response;
    }

    async Task<ActivationResponse?> UsableAsync(ClusterIdentity identity, StoredActivation? stored, CancellationToken ct)
    {
        if (stored is null) return null;
        if (cluster.MemberList.ContainsMemberId(stored.MemberId) || await IsThereAsync(stored.Pid)) return new ActivationResponse { Pid = stored.Pid };
        await storage.RemoveActivation(identity, stored.Pid, ct);
        return null;
    }

    /// <summary>A member that this node does not know may have joined just now.</summary>
    async Task<bool> IsThereAsync(PID pid)
    {
        try
        {
            await cluster.System.Root.RequestAsync<Touched>(pid, Touch.Instance, cluster.System.Deadlines.After(cluster.Config.ActorActivationTimeout / 5));
            return true;
        }
        catch (Exception gone) when (gone is DeadLetterException or TimeoutException)
        {
            return false;
        }
    }

    /// <summary>
    /// Asks one member until it has answered or left, because an answer that did not come may have been a yes. When the time is over before,
    /// the lock stays with that member: whether it stores the activation under it or the lock ends first is for the storage to decide.
    /// </summary>
    async Task<ActivationResponse> ActivateAsync(SpawnLock spawnLock, string askerAddress, CancellationToken ct)
    {
        var identity = spawnLock.ClusterIdentity;
        var member = cluster.MemberList.GetActivator(identity.Kind, askerAddress);
        if (member is null)
        {
            await storage.RemoveLock(spawnLock, ct);
            return ActivationHost.Refused(ActivationRefusal.RefusalUnknownKind, $"no member can be chosen for the kind '{identity.Kind}'");
        }

        var target = PID.FromAddress(member.Address, IdentityStorageLookup.PlacementName);
        var request = new ActivationRequest { ClusterIdentity = identity, RequestId = spawnLock.LockId };
        var reason = "";
        for (var attempt = 1; !ct.IsCancellationRequested; attempt++)
        {
            try
            {
                var answer = await cluster.System.Root.RequestAsync<ActivationResponse>(target, request, ct);
                if (answer.Pid is not null) return answer;
                if (answer.Refusal != ActivationRefusal.RefusalHandOver)
                {
                    await storage.RemoveLock(spawnLock, ct);
                    return answer;
                }

                reason = answer.Reason;
            }
            catch (Exception notNow) when (notNow is DeadLetterException or TimeoutException)
            {
                reason = notNow.Message;
            }

            if (!cluster.MemberList.ContainsMemberId(member.Id))
            {
                await storage.RemoveLock(spawnLock, ct);
                return ActivationHost.Refused(ActivationRefusal.RefusalHandOver, $"{member.Address} left before it activated it");
            }

            await Task.Delay(Backoff.After(attempt, FirstPause, LongestPause), cluster.System.Config.TimeProvider, ct)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        return ActivationHost.Refused(ActivationRefusal.RefusalHandOver, $"{member.Address} has not confirmed the activation: {reason}");
    }
}
