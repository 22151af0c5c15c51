using Proto.Cluster.Placement;

namespace Proto.Cluster.Identity;

/// <summary>
/// Records activations in a storage that all members share. An identity is activated by whoever has the storage's lock for it, at the member
/// that the kind's <see cref="IMemberStrategy"/> chooses; the record is made before the PID is given out. How strong the protection from a
/// second activation is, is the storage's matter; beside it, a member that was taken out of the topology although it lives loses its
/// records, and its activations may then run beside their successors until it hears of it.
/// </summary>
public sealed class IdentityStorageLookup(IIdentityStorage storage) : IIdentityLookup, ILocator
{
    internal const string WorkerName = "$identity-storage-worker";
    internal const string PlacementName = "$placement-activator";

    Cluster _cluster = null!;
    PlacementQuestions _questions = null!;
    PID? _worker;
    PID? _placement;

    public IIdentityStorage Storage { get; } = storage;

    public async Task SetupAsync(Cluster cluster, string[] kinds, bool isClient)
    {
        _cluster = cluster;
        cluster.Remote.Config.Serialization.RegisterFileDescriptor(PlacementContractsReflection.Descriptor);
        await Storage.Init();
        _questions = new PlacementQuestions(cluster, cluster.Config.ActorActivationTimeout);
        var root = cluster.System.Root;
        _worker = root.SpawnNamedSystem(Props.FromProducer(() => new IdentityStorageWorker(cluster, Storage)), WorkerName);
        if (!isClient) _placement = root.SpawnNamedSystem(StoragePlacementActor.Props(cluster, Storage), PlacementName);
    }

    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => (await LocateAsync(clusterIdentity, ct)).Pid;

    /// <summary>The PID's member removes the record if it is stale; the record of a member that left is removed at once.</summary>
    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        _cluster.PidCache.RemoveByVal(clusterIdentity, pid);
        var host = Array.Find(_cluster.MemberList.GetAllMembers(), member => string.Equals(member.Address, pid.Address, StringComparison.Ordinal));
        if (host is null) return Storage.RemoveActivation(clusterIdentity, pid, ct);

        var suspect = new SuspectActivation { Activation = new Activation { ClusterIdentity = clusterIdentity, Pid = pid } };
        _cluster.System.Root.Send(PID.FromAddress(host.Address, PlacementName), suspect);
        return Task.CompletedTask;
    }

    public async Task ShutdownAsync()
    {
        if (_placement is not null)
        {
            await new Draining(_cluster, PlacementName).RunAsync(_placement);
            await Storage.RemoveMember(_cluster.System.Id, _cluster.System.Deadlines.After(_cluster.Config.ShutdownStepTimeout / 5));
        }

        if (_worker is not null) await _cluster.System.Root.StopAsync(_worker);
        Storage.Dispose();
    }

    public Task<DiagnosticsEntry[]> GetDiagnostics() => PlacementDiagnostics.AskAsync(_cluster, _placement);

    Task<Located> ILocator.LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => LocateAsync(clusterIdentity, ct);

    Task<Located> LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct) =>
        _questions.AskAsync(_worker!, new ActivationRequest { ClusterIdentity = clusterIdentity }, ct);
}
