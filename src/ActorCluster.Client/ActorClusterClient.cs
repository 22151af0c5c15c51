using ActorCluster.Client.Hosting;
using ActorCluster.Client.Routing;
using ActorCluster.Client.Sessions;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Microsoft.Extensions.Logging;
using Proto;
using Proto.Cluster;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace ActorCluster.Client;

/// <summary>
/// A client of a cluster: no member, reachable through any node of it. Give it one seed or several; it learns of the
/// other nodes, finds grains wherever they live, and goes on when nodes are lost.
/// </summary>
/// <example><code>
/// await using var client = await ActorClusterClient.ConnectAsync(["127.0.0.1:4050"]);
/// var reply = await client.Grains.CallAsync&lt;CounterValue&gt;("counter", "visits", new CounterAdd { Amount = 1 });
/// </code></example>
public sealed class ActorClusterClient : IAsyncDisposable
{
    ActorClusterClient(ActorSystem system, RetryingCaller caller, AdminClient admin)
    {
        System = system;
        Grains = new GrainClient(caller);
        Kv = new KvClient(caller);
        Admin = admin;
    }

    /// <summary>The client's own actor system: actors of it can talk to actors of the cluster.</summary>
    public ActorSystem System { get; }

    /// <summary>Proto.Cluster's own way to call virtual actors of any kind; without sessions, so a repeat may have its effect twice.</summary>
    public Cluster Cluster => System.Cluster();

    /// <summary>Replicated grains, exactly once.</summary>
    public GrainClient Grains { get; }

    /// <summary>Keys and values.</summary>
    public KvClient Kv { get; }

    /// <summary>Members, groups, partitions, places, and changes of them.</summary>
    public AdminClient Admin { get; }

    /// <summary>Connects through whichever seed answers first.</summary>
    /// <param name="seeds">Cluster addresses (host:port) of nodes.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="ct">Ends the attempt.</param>
    /// <exception cref="NotExecutedException">No seed answered within the request timeout; the message says what each did.</exception>
    public static async Task<ActorClusterClient> ConnectAsync(IEnumerable<string> seeds, ActorClusterClientOptions? options = null, CancellationToken ct = default)
    {
        options ??= new ActorClusterClientOptions();
        options.ThrowIfWrong();
        var directory = new MemberDirectory(seeds);
        var system = new ActorSystem(ActorSystemConfig.Setup());
        try
        {
            var remote = GrpcNetRemoteConfig.BindToLocalhost()
                .WithProtoMessages(OutcomeReflection.Descriptor, MembershipReflection.Descriptor, KeyspaceReflection.Descriptor, GrainsReflection.Descriptor, AdminReflection.Descriptor)
                .WithProtoMessages([.. options.Messages]);
            var connections = new LostConnections(system);
            var calls = new MemberCalls(system.Root, directory, connections, options.AttemptTimeout, options.Time);
            var partitions = new PartitionTableSource(calls);
            var locator = new Locator(calls, options.MaxCachedLocations, options.RequestTimeout, options.Time);
            connections.NodeLost += locator.RefuseAllAt;
            var provider = new ClientClusterProvider(calls, options.RequestTimeout, options.Time, options.Logs.CreateLogger<ActorClusterClient>());
            system
                .WithClientRemote(remote)
                .WithCluster(ClusterConfig.Setup(options.ClusterName, provider, new ClientIdentityLookup(locator, partitions)));
            await system.Cluster().StartClientAsync().WaitAsync(ct);
            var caller = new RetryingCaller(system.Root, connections, locator, partitions, options, StableHash.Of(system.Id));
            return new ActorClusterClient(system, caller, new AdminClient(system.Root, calls, options));
        }
        catch
        {
            await system.ShutdownAsync("the client could not connect");
            throw;
        }
    }

    /// <summary>Leaves. Requests under way end as they can; the cluster ends the sessions by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        await Cluster.ShutdownAsync(graceful: true, "the client leaves");
        await System.DisposeAsync();
    }
}
