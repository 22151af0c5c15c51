namespace Proto.Cluster.Identity;

/// <summary>Where activations are recorded for <see cref="IdentityStorageLookup"/>. Its locks are what keeps an identity from being activated twice.</summary>
public interface IIdentityStorage : IDisposable
{
    Task<StoredActivation?> TryGetExistingActivation(ClusterIdentity clusterIdentity, CancellationToken ct);

    /// <summary>The right to activate the identity; null when another has it or an activation is recorded.</summary>
    Task<SpawnLock?> TryAcquireLock(ClusterIdentity clusterIdentity, CancellationToken ct);

    /// <summary>Waits while another has the lock; null when there is still no activation after that.</summary>
    Task<StoredActivation?> WaitForActivation(ClusterIdentity clusterIdentity, CancellationToken ct);

    Task RemoveLock(SpawnLock spawnLock, CancellationToken ct);

    /// <summary>Records the activation and frees the lock, as one step.</summary>
    /// <exception cref="LockNotFoundException">The lock is no longer this one: the activation must end.</exception>
    Task StoreActivation(string memberId, SpawnLock spawnLock, PID pid, CancellationToken ct);

    /// <summary>Removes the record if it still has this PID.</summary>
    Task RemoveActivation(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct);

    /// <summary>Removes all records of a member that left, and what is locked for it.</summary>
    Task RemoveMember(string memberId, CancellationToken ct);

    /// <summary>Called once, before anything else.</summary>
    Task Init();
}

public class SpawnLock(string lockId, ClusterIdentity clusterIdentity)
{
    public string LockId { get; } = lockId;

    public ClusterIdentity ClusterIdentity { get; } = clusterIdentity;
}

public class StoredActivation(string memberId, PID pid)
{
    public string MemberId { get; } = memberId;

    public PID Pid { get; } = pid;
}

/// <summary>The storage could not do what it was asked; whether it did part of it is unknown.</summary>
public class StorageFailureException : Exception
{
    public StorageFailureException(string message) : base(message) { }

    public StorageFailureException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>The lock was freed or taken by another.</summary>
public class LockNotFoundException : StorageFailureException
{
    public LockNotFoundException(string message) : base(message) { }

    public LockNotFoundException(string message, Exception innerException) : base(message, innerException) { }
}
