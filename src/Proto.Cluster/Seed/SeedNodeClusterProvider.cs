using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Seed;

/// <summary>
/// Members find the cluster by asking any one member of it (a seed node), and spread who is in it by gossip: nothing else has to run beside
/// them. A member that says goodbye is out at once; one that dies is removed by a majority when <see cref="ClusterConfig.HeartbeatExpiration"/> is on,
/// and by nobody otherwise.
/// </summary>
public sealed partial class SeedNodeClusterProvider : IClusterProvider
{
    readonly SeedNodeClusterProviderOptions _options;
    readonly CancellationTokenSource _stop = new();
    Cluster? _cluster;
    PID? _actor;
    bool _isRegistered;

    /// <exception cref="ClusterConfigException">A setting is outside its limits.</exception>
    public SeedNodeClusterProvider(SeedNodeClusterProviderOptions options)
    {
        options.Validate();
        _options = options;
    }

    /// <summary>Joins whomever the discovery names; the first one starts the cluster.</summary>
    public static SeedNodeClusterProvider JoinWithDiscovery(ISeedNodeDiscovery discovery) => new(new SeedNodeClusterProviderOptions(discovery));

    /// <exception cref="SeedJoinException">No seed node answered in time.</exception>
    public async Task StartMemberAsync(Cluster cluster)
    {
        var (joiner, logger) = Begin(cluster);
        _actor = cluster.System.Root.SpawnNamedSystem(Props.FromProducer(() => new SeedNodeActor(cluster, _options, joiner)), SeedNodeActor.Name);
        var self = cluster.MemberList.Self;
        _isRegistered = true;
        await _options.Discovery.Register(self.Id, self.Host, self.Port);
        Member? seed = null;
        try
        {
            seed = await joiner.JoinAsync(new JoinRequest { Joiner = self }, _stop.Token);
        }
        catch (SeedJoinException nobody) when (_options.StartAloneWhenNobodyAnswers)
        {
            LogStartsAlone(logger, cluster.System.Address, nobody.Message);
        }

        cluster.System.Root.Send(_actor, new MembershipBegun(seed));
    }

    /// <exception cref="SeedJoinException">No seed node answered in time.</exception>
    public async Task StartClientAsync(Cluster cluster)
    {
        var (joiner, logger) = Begin(cluster);
        _actor = cluster.System.Root.SpawnNamedSystem(
            Props.FromProducer(() => new SeedClientActor(cluster, _options, joiner, logger)), SeedClientActor.Name);
        var answered = await joiner.JoinAsync(new JoinAsClientRequest { SystemId = cluster.System.Id }, _stop.Token);
        if (answered is null) throw new InvalidOperationException("a client needs a seed node to join: the discovery names none");
    }

    /// <summary>Gracefully: is joined no more through the discovery. The members have been told already, through gossip.</summary>
    public async Task ShutdownAsync(bool graceful)
    {
        _stop.Cancel();
        if (_cluster is null) return;
        if (_actor is not null) await _cluster.System.Root.StopAsync(_actor);
        if (graceful && _isRegistered) await _options.Discovery.Remove(_cluster.System.Id);
    }

    (SeedJoiner Joiner, ILogger Logger) Begin(Cluster cluster)
    {
        _cluster = cluster;
        cluster.Remote.Config.Serialization.RegisterFileDescriptor(SeedContractsReflection.Descriptor);
        var logger = cluster.System.LoggerFactory.CreateLogger<SeedNodeClusterProvider>();
        return (new SeedJoiner(cluster, _options, logger), logger);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} starts a cluster of one and goes on asking: {Problem}")]
    static partial void LogStartsAlone(ILogger logger, string address, string problem);
}
