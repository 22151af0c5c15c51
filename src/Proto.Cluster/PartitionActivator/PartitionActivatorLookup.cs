using Proto.Cluster.Identity;

namespace Proto.Cluster.PartitionActivator;

/// <summary>
/// Places each virtual actor on the member that rendezvous hashing names among those that host its kind. No storage and no agreement:
/// while members disagree about the topology an identity may have two activations for a moment. For actors that must not,
/// use a lookup with a quorum behind it.
/// </summary>
public sealed class PartitionActivatorLookup(TimeSpan getPidTimeout) : IIdentityLookup
{
    internal const string ActivatorName = "$partition-activator";

    Cluster _cluster = null!;
    PID? _activator;

    public PartitionActivatorLookup() : this(TimeSpan.FromSeconds(1)) { }

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient)
    {
        _cluster = cluster;
        if (!isClient)
        {
            _activator = cluster.System.Root.SpawnNamedSystem(Props.FromProducer(() => new PartitionActivatorActor(cluster)), ActivatorName);
        }

        return Task.CompletedTask;
    }

    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        var owner = Rendezvous.OwnerOf(clusterIdentity, _cluster.MemberList.GetMembersByKind(clusterIdentity.Kind));
        if (owner is null) return null;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, _cluster.System.Deadlines.After(getPidTimeout));
        try
        {
            var request = new ActivationRequest { ClusterIdentity = clusterIdentity, TopologyHash = _cluster.MemberList.TopologyHash };
            var response = await _cluster.System.Root
                .RequestAsync<ActivationResponse>(PID.FromAddress(owner.Address, ActivatorName), request, end.Token)
                ;
            if (response.InvalidIdentity) throw new IdentityIsBlockedException(clusterIdentity);
            return response.Failed ? null : response.Pid;
        }
        catch (Exception notNow) when (notNow is DeadLetterException or TimeoutException)
        {
            // The owner is not reachable, or too busy: the caller asks again, of the owner in the topology of that time.
            return null;
        }
    }

    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        _cluster.PidCache.RemoveByVal(clusterIdentity, pid);
        return Task.CompletedTask;
    }

    public async Task ShutdownAsync()
    {
        if (_activator is not null) await _cluster.System.Root.PoisonAsync(_activator);
    }
}
