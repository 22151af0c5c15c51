namespace ActorCluster;

/// <summary>
/// All settings of a node. <see cref="ActorClusterSettings"/> says what each is called in files, variables and on the
/// command line; <see cref="ActorClusterOptionsValidator"/> says what is allowed.
/// </summary>
public sealed class ActorClusterOptions
{
    /// <summary>The section of a configuration file that holds these settings.</summary>
    public const string Section = "ActorCluster";

    /// <summary>What people call this node; unique in the cluster.</summary>
    public string Name { get; set; } = "";

    /// <summary>Where other nodes and clients reach this node (Proto.Remote), as host:port.</summary>
    public string Listen { get; set; } = "";

    /// <summary>What this node tells others to call, when that differs from <see cref="Listen"/> (containers, 0.0.0.0).</summary>
    public string? Advertise { get; set; }

    /// <summary>Where the HTTP API listens, as host:port. Null: this process serves none.</summary>
    public string? Http { get; set; }

    /// <summary>Cluster addresses of nodes to find the cluster through. This node's own address may be among them.</summary>
    public IList<string> Seeds { get; set; } = [];

    /// <summary>
    /// How many blank nodes form the first cluster together: the same number on every node. Means nothing once the
    /// cluster exists.
    /// </summary>
    public int Expect { get; set; }

    /// <summary>Where this node keeps its identity, log and snapshots. One node per directory.</summary>
    public string DataDirectory { get; set; } = "";

    /// <summary>Number of partitions of the key space; fixed when the cluster forms.</summary>
    public int Partitions { get; set; } = 16;

    /// <summary>Replicas of a partition, or as many as there are nodes.</summary>
    public int ReplicationFactor { get; set; } = 3;

    /// <summary>A group takes a snapshot and releases its log after so many applied entries.</summary>
    public int SnapshotEntries { get; set; } = 10_000;

    /// <summary>How often the coordinator looks whether partitions need other replicas.</summary>
    public TimeSpan PlacementInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a node stays Unreachable before the coordinator removes it.</summary>
    public TimeSpan GracePeriod { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The unit of Raft's timers.</summary>
    public TimeSpan Tick { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A leader sends heartbeats every so many ticks.</summary>
    public int HeartbeatTicks { get; set; } = 2;

    /// <summary>An election timeout is drawn between this many ticks and twice as many.</summary>
    public int ElectionTicksMin { get; set; } = 10;

    /// <summary>Every node is probed this often.</summary>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>So many probes missed in a row make a node Unreachable.</summary>
    public int ProbeMisses { get; set; } = 3;

    /// <summary>Gossip rounds are this far apart.</summary>
    public TimeSpan GossipInterval { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Deadline of a request that brings none.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A grain without requests for so long is unloaded; the next request activates it again.</summary>
    public TimeSpan GrainIdle { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a clean shutdown may take.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What others call: <see cref="Advertise"/>, else <see cref="Listen"/>.</summary>
    public string AdvertisedAddress => string.IsNullOrEmpty(Advertise) ? Listen : Advertise;

    /// <summary>What others call for the HTTP API: <see cref="Http"/>, with the host of <see cref="Advertise"/> when it listens everywhere.</summary>
    public string AdvertisedHttp
    {
        get
        {
            if (!HostPort.TryParse(Http, out var http) || !http.IsAnyAddress || !HostPort.TryParse(AdvertisedAddress, out var advertised)) return Http ?? "";
            return (advertised with { Port = http.Port }).ToString();
        }
    }

    /// <summary>Gives another instance the same settings.</summary>
    public void CopyTo(ActorClusterOptions other)
    {
        foreach (var setting in typeof(ActorClusterOptions).GetProperties())
        {
            if (setting.CanWrite) setting.SetValue(other, setting.GetValue(this));
        }
    }
}
