using System.Globalization;
using Proto.Cluster.Identity;

namespace Proto.Cluster.Testing;

/// <summary>An identity storage for clusters whose members live in one OS process and share this object. A lock ends after its time to live.</summary>
public sealed class InMemoryIdentityStorage(TimeProvider time, TimeSpan lockTimeToLive) : IIdentityStorage
{
    readonly Lock _gate = new();
    readonly Dictionary<ClusterIdentity, StoredActivation> _activations = [];
    readonly Dictionary<ClusterIdentity, Held> _locks = [];
    long _lastLock;

    public InMemoryIdentityStorage() : this(TimeProvider.System, TimeSpan.FromSeconds(30)) { }

    sealed record Held(SpawnLock Lock, long Since, TaskCompletionSource Freed);

    public Task Init() => Task.CompletedTask;

    public Task<StoredActivation?> TryGetExistingActivation(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        lock (_gate) return Task.FromResult(_activations.GetValueOrDefault(clusterIdentity));
    }

    public Task<SpawnLock?> TryAcquireLock(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        lock (_gate)
        {
            if (_activations.ContainsKey(clusterIdentity)) return Task.FromResult<SpawnLock?>(null);
            if (_locks.TryGetValue(clusterIdentity, out var held))
            {
                if (time.GetElapsedTime(held.Since) < lockTimeToLive) return Task.FromResult<SpawnLock?>(null);
                Free(held);
            }

            var taken = new SpawnLock((++_lastLock).ToString(CultureInfo.InvariantCulture), clusterIdentity);
            _locks[clusterIdentity] = new Held(taken, time.GetTimestamp(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return Task.FromResult<SpawnLock?>(taken);
        }
    }

    public async Task<StoredActivation?> WaitForActivation(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        Task freed;
        lock (_gate)
        {
            if (!_locks.TryGetValue(clusterIdentity, out var held)) return _activations.GetValueOrDefault(clusterIdentity);
            freed = held.Freed.Task;
        }

        try
        {
            await OnThisContext(freed).WaitAsync(lockTimeToLive, time, ct);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            return null;
        }

        return await TryGetExistingActivation(clusterIdentity, ct);
    }

    public Task RemoveLock(SpawnLock spawnLock, CancellationToken ct)
    {
        lock (_gate)
        {
            if (IsHeld(spawnLock) is { } held) Free(held);
            return Task.CompletedTask;
        }
    }

    public Task StoreActivation(string memberId, SpawnLock spawnLock, PID pid, CancellationToken ct)
    {
        lock (_gate)
        {
            if (IsHeld(spawnLock) is not { } held)
                return Task.FromException(new LockNotFoundException($"the lock {spawnLock.LockId} of {spawnLock.ClusterIdentity.ToDiagnosticString()} is not held"));
            _activations[spawnLock.ClusterIdentity] = new StoredActivation(memberId, pid);
            Free(held);
            return Task.CompletedTask;
        }
    }

    public Task RemoveActivation(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        lock (_gate)
        {
            if (_activations.TryGetValue(clusterIdentity, out var stored) && stored.Pid.Equals(pid)) _activations.Remove(clusterIdentity);
            return Task.CompletedTask;
        }
    }

    public Task RemoveMember(string memberId, CancellationToken ct)
    {
        lock (_gate)
        {
            foreach (var (identity, stored) in _activations.ToArray())
            {
                if (string.Equals(stored.MemberId, memberId, StringComparison.Ordinal)) _activations.Remove(identity);
            }

            return Task.CompletedTask;
        }
    }

    /// <summary>Nothing: other members still use it.</summary>
    public void Dispose() { }

    /// <summary>Ends where it is awaited: whoever frees the lock may be another member's thread.</summary>
    static async Task OnThisContext(Task task) => await task;

    Held? IsHeld(SpawnLock spawnLock) =>
        _locks.TryGetValue(spawnLock.ClusterIdentity, out var held) && string.Equals(held.Lock.LockId, spawnLock.LockId, StringComparison.Ordinal) ? held : null;

    void Free(Held held)
    {
        _locks.Remove(held.Lock.ClusterIdentity);
        held.Freed.TrySetResult();
    }
}
