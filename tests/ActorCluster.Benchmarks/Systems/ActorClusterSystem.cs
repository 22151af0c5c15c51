using System.Globalization;
using System.Net;
using ActorCluster.Benchmarks.Load;
using ActorCluster.Protocol;

namespace ActorCluster.Benchmarks.Systems;

/// <summary>Three ActorCluster nodes, driven through the HTTP API.</summary>
sealed class ActorClusterSystem : KvSystem
{
    public ActorClusterSystem(string nodeDll, string directory, int partitions)
    {
        var ports = ServerProcess.FreeEndpoints(6);
        var seeds = string.Join(',', ports.Take(3));
        Servers =
        [
            .. Enumerable.Range(0, 3).Select(i =>
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"n{i + 1}");
                return new ServerProcess(name, ports[3 + i], Path.Combine(directory, name + ".log"), "dotnet",
                [
                    nodeDll, "--name", name, "--listen", ports[i].ToString(), "--http", ports[3 + i].ToString(), "--seeds", seeds,
                    "--expect", "3", "--data", Path.Combine(directory, name), "--partitions", partitions.ToString(CultureInfo.InvariantCulture),
                ]);
            }),
        ];
    }

    public override string Name => "ActorCluster";

    public override IReadOnlyList<ServerProcess> Servers { get; }

    public override byte[] Put(string key, byte[] value) => Workload.Http("PUT", "/v1/kv/" + key, "application/octet-stream", value);

    public override byte[] Get(string key) => Workload.Http("GET", "/v1/kv/" + key, "", []);

    protected override async Task<bool> IsHealthyAsync(IPEndPoint server, CancellationToken ct)
    {
        using var health = await AskAsync(server, Workload.Http("GET", "/health", "", []), ct);
        return health.RootElement.GetProperty("status").GetString() == "Healthy";
    }

    /// <summary>The node that leads most partitions, and a key of one of them.</summary>
    public override async Task<(ServerProcess Leader, string Key)> FindLeaderAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        using var answer = await AskAsync(Servers[0].Http, Workload.Http("GET", "/v1/partitions", "", []), ct);
        var partitions = answer.RootElement.GetProperty("partitions").EnumerateArray()
            .Select(p => (
                FirstHash: ulong.Parse(p.GetProperty("partition").GetProperty("firstHash").GetString()!.Replace("-", "0", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                Leader: p.GetProperty("leaderName").GetString()))
            .OrderBy(p => p.FirstHash)
            .ToList();
        var leader = partitions.GroupBy(p => p.Leader, StringComparer.Ordinal).OrderByDescending(g => g.Count()).First().Key;
        var key = keys.First(k => partitions.FindLast(p => p.FirstHash <= StableHash.Of(k)).Leader == leader);
        return (Servers.Single(s => s.Name == leader), key);
    }
}
