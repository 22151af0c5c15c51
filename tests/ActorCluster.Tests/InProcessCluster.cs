using System.Net;
using System.Net.Sockets;
using ActorCluster.Grains;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Tests;

/// <summary>
/// Whole nodes in this process: real remoting on loopback, real files in a temporary directory. What a process boundary
/// adds is the business of ActorCluster.Processes.Tests.
/// </summary>
sealed class InProcessCluster : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly string _directory = Directory.CreateTempSubdirectory("actorcluster-").FullName;
    readonly List<string> _addresses = [];
    readonly int _expect;

    readonly Action<ActorClusterOptions>? _configure;

    InProcessCluster(int expect, Action<ActorClusterOptions>? configure) => (_expect, _configure) = (expect, configure);

    public List<ClusterNode> Nodes { get; } = [];

    public static async Task<InProcessCluster> StartAsync(int nodes, Action<GrainKinds>? kinds = null, Action<ActorClusterOptions>? configure = null)
    {
        var cluster = new InProcessCluster(nodes, configure);
        cluster._addresses.AddRange(FreeAddresses(nodes));
        for (var i = 0; i < nodes; i++) cluster.Nodes.Add(await cluster.StartNodeAsync(i, kinds));
        await Task.WhenAll(cluster.Nodes.Select(n => n.Joined)).WaitAsync(Patience);
        return cluster;
    }

    /// <summary>Starts the node with a number; a number that ran before finds its data again.</summary>
    public async Task<ClusterNode> StartNodeAsync(int number, Action<GrainKinds>? kinds = null, IFileSystem? files = null)
    {
        while (_addresses.Count <= number) _addresses.AddRange(FreeAddresses(1));
        var registered = new GrainKinds();
        kinds?.Invoke(registered);
        var options = new ActorClusterOptions
        {
            Name = $"n{number + 1}",
            Listen = _addresses[number],
            Seeds = [.. _addresses.Take(_expect)],
            Expect = _expect,
            DataDirectory = DataDirectory(number),
            Partitions = 4,
            ShutdownTimeout = files is null ? TimeSpan.FromSeconds(10) : TimeSpan.FromMilliseconds(500),
        };
        _configure?.Invoke(options);
        var node = new ClusterNode(options, new ClusterNodeSetup { Kinds = registered, Files = files ?? OsFileSystem.Instance });
        await node.StartAsync();
        return node;
    }

    /// <summary>A part of a stopped node's data directory is deleted.</summary>
    public void Lose(int number, string part)
    {
        var path = Path.Combine(DataDirectory(number), part);
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    }

    /// <summary>Waits until a node sees a member in a state; membership pushes its changes, so nothing is polled.</summary>
    public static Task SeesAsync(ClusterNode observer, string name, MemberState state) =>
        KnowsAsync(observer, snapshot => snapshot.Members.Values.Any(m => m.Name == name && m.State == state));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes) await node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    string DataDirectory(int number) => Path.Combine(_directory, $"n{number + 1}");

    /// <summary>Waits until a condition on what a node knows of the cluster holds; membership pushes its changes.</summary>
    public static async Task KnowsAsync(ClusterNode observer, Func<Membership.MembershipSnapshot, bool> condition)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(Membership.MembershipSnapshot snapshot)
        {
            if (condition(snapshot)) seen.TrySetResult();
        }

        observer.Membership.Changed += Look;
        Look(observer.Membership.Current);
        try
        {
            await seen.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{observer.Name} did not come to know what was expected of it:\n{Describe(observer)}");
        }

        observer.Membership.Changed -= Look;
    }

    static string Describe(ClusterNode node)
    {
        var members = node.Membership.Current;
        var lines = members.Members.Values.Select(m => $"{m.Uid} {m.Name} {m.State}")
            .Concat(members.Partitions?.Partitions.Select(p => p.ToString()) ?? [])
            .Concat(node.Groups.Select(g => $"{g.Id} {g.Status.Role} term {g.Status.Term} leader {g.Status.Leader} commit {g.Status.CommitIndex} voters {string.Join(',', g.Status.Voters)}"));
        return string.Join('\n', lines);
    }

    static string[] FreeAddresses(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners) listener.Start();
        var addresses = listeners.Select(l => l.LocalEndpoint.ToString()!).ToArray();
        foreach (var listener in listeners) listener.Stop();
        return addresses;
    }
}
