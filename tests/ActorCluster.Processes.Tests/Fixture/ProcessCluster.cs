using System.Globalization;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>A cluster of real processes on this machine, with its data below the test's output directory (a real disk: faults F2).</summary>
sealed class ProcessCluster : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    static int _count;

    readonly string _directory;
    readonly HashSet<NodeProcess> _expectedDown = [];

    ProcessCluster(string directory, IReadOnlyList<NodeProcess> nodes)
    {
        _directory = directory;
        Nodes = nodes;
    }

    public IReadOnlyList<NodeProcess> Nodes { get; }

    public IEnumerable<NodeProcess> Running => Nodes.Where(n => n.IsRunning && !n.IsPaused);

    public IEnumerable<string> Addresses => Nodes.Select(n => n.Settings.Address);

    /// <summary>Starts nodes and waits until they serve.</summary>
    public static async Task<ProcessCluster> StartAsync(int partitions, int snapshotEntries = 100, int nodes = 3, string placementInterval = "1s")
    {
        var directory = Path.Combine(
            AppContext.BaseDirectory,
            "cluster-data",
            string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"));
        var ports = Enumerable.Range(0, nodes).Select(_ => (Cluster: Ports.Take(), Http: Ports.Take())).ToList();
        var seeds = string.Join(',', ports.Select(p => $"127.0.0.1:{p.Cluster}"));
        var processes = ports.Select((p, i) => new NodeProcess(new NodeSettings(
            $"n{i + 1}", p.Cluster, p.Http, seeds, nodes, Path.Combine(directory, $"n{i + 1}"), partitions, snapshotEntries, placementInterval))).ToList();
        var cluster = new ProcessCluster(directory, processes);
        try
        {
            foreach (var node in processes) node.Start();
            await cluster.ServesAsync();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Starts whoever is down, lets go whoever is paused, and waits until all serve.</summary>
    public async Task RestoreAsync()
    {
        foreach (var node in Nodes)
        {
            node.Resume();
            Start(node);
        }

        await ServesAsync();
    }

    /// <summary>Waits until every running node says that it serves and all agree on one leader of every group.</summary>
    public Task ServesAsync() => EventuallyAsync(async () =>
    {
        foreach (var node in Running)
        {
            var health = await node.Http.HealthAsync();
            if (!health.IsOk) return $"{node.Name} is not healthy: {health}";
        }

        return await LeadershipProblemAsync();
    });

    public Task HealthyAsync(NodeProcess node) => EventuallyAsync(async () =>
    {
        var health = await node.Http.HealthAsync();
        return health.IsOk ? null : $"{node.Name} is not healthy: {health}";
    });

    /// <summary>Waits until the running nodes agree on one leader of every group.</summary>
    public Task AgreeOnLeadersAsync() => EventuallyAsync(LeadershipProblemAsync);

    public Task EventuallyAsync(Func<Task<string?>> problem, TimeSpan? within = null)
    {
        var started = Running.ToList();
        return Eventually.HoldsAsync(
            within ?? Patience,
            async () =>
            {
                foreach (var node in started.Where(n => !n.IsRunning && !_expectedDown.Contains(n))) Assert.Fail($"{node.Name} ended by itself:\n{node.Log()}");
                return await problem();
            },
            Logs);
    }

    /// <summary>kill -9.</summary>
    public void Kill(NodeProcess node)
    {
        _expectedDown.Add(node);
        node.Kill();
    }

    public async Task StopAsync(NodeProcess node)
    {
        _expectedDown.Add(node);
        await node.StopAsync();
    }

    public void Start(NodeProcess node)
    {
        _expectedDown.Remove(node);
        node.Start();
    }

    /// <summary>Starts it and waits until it serves.</summary>
    public async Task RestartAsync(NodeProcess node)
    {
        Start(node);
        await HealthyAsync(node);
    }

    /// <summary>What every running node shows of its groups; null while one does not answer.</summary>
    public async Task<Dictionary<NodeProcess, IReadOnlyList<GroupView>>?> GroupsAsync()
    {
        var all = new Dictionary<NodeProcess, IReadOnlyList<GroupView>>();
        foreach (var node in Running.ToList())
        {
            if (await node.Http.GroupsAsync() is not { } groups) return null;
            all.Add(node, groups);
        }

        return all;
    }

    /// <summary>The running node that leads most partitions, and the one that leads fewest, once all agree.</summary>
    public async Task<(NodeProcess Most, NodeProcess Fewest)> LeadersAsync()
    {
        await AgreeOnLeadersAsync();
        Dictionary<NodeProcess, IReadOnlyList<GroupView>>? groups = null;
        await EventuallyAsync(async () => (groups = await GroupsAsync()) is null ? "a node does not show its groups" : null);
        var order = groups!.OrderByDescending(g => g.Value.Count(v => v.IsPartition && v.Leads)).Select(g => g.Key).ToList();
        return (order[0], order[^1]);
    }

    /// <summary>Sums of the partitions' commit and last indexes, as their leaders show them.</summary>
    public async Task<(ulong Commit, ulong Last)> ProgressAsync()
    {
        ulong commit = 0, last = 0;
        await EventuallyAsync(async () =>
        {
            if (await GroupsAsync() is not { } all) return "a node does not show its groups";
            var leaders = all.Values.SelectMany(g => g).Where(g => g.IsPartition && g.Leads).ToList();
            commit = (ulong)leaders.Sum(l => (long)l.CommitIndex);
            last = (ulong)leaders.Sum(l => (long)l.LastIndex);
            return null;
        });
        return (commit, last);
    }

    /// <summary>Writes through a node until it is acknowledged: for preparing a scene.</summary>
    public Task WriteAsync(NodeProcess through, string key, string value) => EventuallyAsync(async () =>
    {
        var answer = await through.Http.PutAsync(key, value);
        return answer.IsOk ? null : $"PUT {key} through {through.Name}: {answer}";
    });

    /// <summary>Waits until a key reads as a value (null: not there) through every running node.</summary>
    public async Task ReadsAsync(string key, string? value)
    {
        foreach (var node in Running.ToList())
        {
            await EventuallyAsync(async () =>
            {
                var answer = await node.Http.GetAsync(key);
                if (answer.IsOk && value is not null && answer.Value != value)
                    Assert.Fail($"{node.Name} reads {key} = {answer.Value}, not {value}; a read that succeeds is never stale\n{Logs()}");
                return (value is null ? answer.IsNotFound : answer.IsOk) ? null : $"GET {key} through {node.Name}: {answer}";
            });
        }
    }

    public string Logs() => string.Join("\n\n", Nodes.Select(n => n.Log()));

    public void Dispose()
    {
        foreach (var node in Nodes) node.Dispose();
        if (Environment.GetEnvironmentVariable("KEEP_CLUSTER_DATA") is null && Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    async Task<string?> LeadershipProblemAsync()
    {
        if (await GroupsAsync() is not { } all) return "a node does not show its groups";
        foreach (var group in all.Values.SelectMany(g => g).Select(g => g.Name).Distinct().Order(StringComparer.Ordinal))
        {
            var replicas = all.Where(n => n.Value.Any(g => g.Name == group)).Select(n => (Node: n.Key, Group: n.Value.Single(g => g.Name == group))).ToList();
            var leaders = replicas.Where(r => r.Group.Leads).ToList();
            if (leaders.Count != 1) return $"{group} has {leaders.Count} leaders: {Show()}";
            if (replicas.Any(r => r.Group.Term != leaders[0].Group.Term || r.Group.LeaderName != leaders[0].Node.Name)) return $"{group} does not agree on its leader: {Show()}";

            string Show() => string.Join("; ", replicas.Select(r => $"{r.Node.Name} is {r.Group.Role} in term {r.Group.Term} of {r.Group.LeaderName}"));
        }

        return null;
    }
}
