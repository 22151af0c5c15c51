using System.Diagnostics;
using System.Net;
using System.Text;
using ActorCluster.Benchmarks.Load;

namespace ActorCluster.Benchmarks.Systems;

/// <summary>Three etcd processes with default settings, driven through the JSON gateway.</summary>
sealed class EtcdSystem : KvSystem
{
    public const string Program = "/usr/bin/etcd";

    public EtcdSystem(string directory)
    {
        var ports = ServerProcess.FreeEndpoints(6);
        string[] names = ["e1", "e2", "e3"];
        var cluster = string.Join(',', names.Select((n, i) => $"{n}=http://{ports[i]}"));
        Servers =
        [
            .. names.Select((name, i) => new ServerProcess(name, ports[3 + i], Path.Combine(directory, name + ".log"), Program,
            [
                "--name", name, "--data-dir", Path.Combine(directory, name),
                "--listen-peer-urls", $"http://{ports[i]}", "--initial-advertise-peer-urls", $"http://{ports[i]}",
                "--listen-client-urls", $"http://{ports[3 + i]}", "--advertise-client-urls", $"http://{ports[3 + i]}",
                "--initial-cluster", cluster, "--initial-cluster-state", "new", "--initial-cluster-token", "actorcluster-benchmark",
            ])),
        ];
    }

    public override string Name => "etcd";

    public override IReadOnlyList<ServerProcess> Servers { get; }

    public static bool IsInstalled => File.Exists(Program);

    /// <summary>"3.4.23", from the program itself.</summary>
    public static string Version()
    {
        using var process = Process.Start(new ProcessStartInfo(Program, "--version") { RedirectStandardOutput = true })!;
        var line = process.StandardOutput.ReadLine() ?? "";
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return line.Replace("etcd Version:", "", StringComparison.Ordinal).Trim();
    }

    public override byte[] Put(string key, byte[] value) =>
        Post("/v3/kv/put", $"{{\"key\":\"{Base64(Encoding.UTF8.GetBytes(key))}\",\"value\":\"{Base64(value)}\"}}");

    public override byte[] Get(string key) => Post("/v3/kv/range", $"{{\"key\":\"{Base64(Encoding.UTF8.GetBytes(key))}\"}}");

    protected override async Task<bool> IsHealthyAsync(IPEndPoint server, CancellationToken ct)
    {
        using var health = await AskAsync(server, Workload.Http("GET", "/health", "", []), ct);
        return health.RootElement.GetProperty("health").GetString() == "true";
    }

    public override async Task<(ServerProcess Leader, string Key)> FindLeaderAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        foreach (var server in Servers)
        {
            using var status = await AskAsync(server.Http, Post("/v3/maintenance/status", "{}"), ct);
            if (status.RootElement.GetProperty("leader").GetString() == status.RootElement.GetProperty("header").GetProperty("member_id").GetString())
                return (server, keys[0]);
        }
        throw new InvalidOperationException("no etcd process says that it leads");
    }

    static byte[] Post(string path, string json) => Workload.Http("POST", path, "application/json", Encoding.ASCII.GetBytes(json));

    static string Base64(byte[] bytes) => Convert.ToBase64String(bytes);
}
