using ActorCluster.Benchmarks.Limits;
using ActorCluster.Benchmarks.Load;
using ActorCluster.Benchmarks.Reports;
using ActorCluster.Benchmarks.Systems;

namespace ActorCluster.Benchmarks;

/// <summary>One run: the machine's limits, then one system after the other, so that they do not share the machine.</summary>
sealed class BenchmarkRun(BenchmarkSettings settings, string root, string nodeDll, Action<string> progress)
{
    static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    public async Task<BenchmarkResult> ExecuteAsync(CancellationToken ct)
    {
        var conditions = Conditions.Of(root);
        progress("limits of the machine");
        var syncs = SyncLimit.Measure(settings.Directory, settings.Duration);
        var empty = await EmptyEndpoint.MeasureAsync(settings.Directory, settings.Connections, settings.Duration, ct);

        var workload = new Workload(settings.Keys);
        SystemResult? ours = null;
        SystemResult? etcd = null;
        if (settings.Systems.Contains("actorcluster", StringComparer.Ordinal))
        {
            using var system = new ActorClusterSystem(nodeDll, Path.Combine(settings.Directory, "actorcluster"), settings.Partitions);
            ours = await MeasureAsync(system, workload, ct);
        }
        if (settings.Systems.Contains("etcd", StringComparer.Ordinal) && EtcdSystem.IsInstalled)
        {
            using var system = new EtcdSystem(Path.Combine(settings.Directory, "etcd"));
            etcd = await MeasureAsync(system, workload, ct);
        }
        return new BenchmarkResult(conditions, DiskFileSystem.Of(settings.Directory), settings, syncs, empty, ours, etcd, etcd is null ? null : EtcdSystem.Version());
    }

    async Task<SystemResult> MeasureAsync(KvSystem system, Workload workload, CancellationToken ct)
    {
        progress($"{system.Name}: starting three processes");
        await system.StartAsync(ct);
        var residentEmpty = system.Servers.Select(s => s.ResidentBytes()).ToList();

        var puts = workload.Keys.Select((key, i) => system.Put(key, workload.Values[i])).ToList();
        var gets = workload.Keys.Select(system.Get).ToList();
        progress($"{system.Name}: writing {puts.Count} keys");
        await LoadRun.SendAllAsync(system.Endpoints, puts, 48, ct);

        // Both ways once before any number: what a process pays once (just-in-time compilation, first use) is not its speed.
        progress($"{system.Name}: warming up");
        foreach (var requests in new[] { puts, gets }) await LoadRun.RunAsync(system.Endpoints, requests, 64, TimeSpan.Zero, 2 * settings.WarmUp, ct);

        var writes = new List<LoadResult>();
        var reads = new List<LoadResult>();
        foreach (var connections in settings.Connections)
        {
            writes.Add(await LoadAsync(system, "writes", puts, connections, ct));
            reads.Add(await LoadAsync(system, "reads", gets, connections, ct));
        }

        // Idle means after what loads leave behind: compilation in the background, collections.
        await Task.Delay(Settle, ct);
        var idleBefore = CpuMicros(system);
        await Task.Delay(settings.Duration, ct);
        var idleCpu = (CpuMicros(system) - idleBefore) / 1000 / settings.Duration.TotalSeconds / system.Servers.Count;
        progress($"{system.Name}: idle {idleCpu:N1} ms of CPU per second and process");
        var residentLoaded = system.Servers.Select(s => s.ResidentBytes()).ToList();

        var failover = settings.Rounds > 0 ? await FailoverRun.RunAsync(system, workload, settings.Rounds, progress, ct) : null;
        return new SystemResult(system.Name, writes, reads, idleCpu, residentEmpty, residentLoaded, failover);
    }

    async Task<LoadResult> LoadAsync(KvSystem system, string what, List<byte[]> requests, int connections, CancellationToken ct)
    {
        var before = CpuMicros(system);
        var result = await LoadRun.RunAsync(system.Endpoints, requests, connections, settings.WarmUp, settings.Duration, ct);
        result = result with { CpuMicros = (CpuMicros(system) - before) / Math.Max(1, result.Answered) };
        progress($"{system.Name}, {connections} connections: {result.PerSecond:N0} {what}/s, p50 {result.P50Ms:N2} ms, p99 {result.P99Ms:N2} ms, {result.CpuMicros:N0} µs of CPU each, {result.Errors} errors");
        return result;
    }

    static double CpuMicros(KvSystem system) => system.Servers.Sum(s => s.ProcessorTime().TotalMicroseconds);
}
