namespace Proto.Cluster;

public static class ClusterExtensions
{
    public static ActorSystem WithCluster(this ActorSystem system, ClusterConfig config)
    {
        _ = new Cluster(system, config);
        return system;
    }

    public static Cluster Cluster(this ActorSystem system) => system.Extensions.GetRequired<Cluster>("the actor system has no cluster: add it with WithCluster");

    public static Cluster Cluster(this IContext context) => context.System.Cluster();

    public static Task<PID?> GetAsync(this Cluster cluster, string identity, string kind, CancellationToken ct) =>
        cluster.GetAsync(ClusterIdentity.Create(identity, kind), ct);

    public static Task<T> RequestAsync<T>(this Cluster cluster, string identity, string kind, object message, CancellationToken ct) =>
        cluster.RequestAsync<T>(ClusterIdentity.Create(identity, kind), message, cluster.System.Root, ct);

    public static Task<T> RequestAsync<T>(
        this Cluster cluster, string identity, string kind, object message, ISenderContext context, CancellationToken ct) =>
        cluster.RequestAsync<T>(ClusterIdentity.Create(identity, kind), message, context, ct);

    public static Task<T> RequestAsync<T>(this Cluster cluster, ClusterIdentity clusterIdentity, object message, CancellationToken ct) =>
        cluster.RequestAsync<T>(clusterIdentity, message, cluster.System.Root, ct);
}

public static class ClusterContextExtensions
{
    /// <summary>The virtual actor that this activation is; null in other actors.</summary>
    public static ClusterIdentity? ClusterIdentity(this IContext context) => context.Get<ClusterIdentity>();

    /// <summary>Tells an activation who it is. For identity lookups: the work of the callback when they spawn.</summary>
    public static void SetClusterIdentity(this IContext context, ClusterIdentity clusterIdentity) => context.Set(clusterIdentity);

    public static Task<T> ClusterRequestAsync<T>(this IContext context, string identity, string kind, object message, CancellationToken ct) =>
        context.Cluster().RequestAsync<T>(Proto.Cluster.ClusterIdentity.Create(identity, kind), message, context, ct);

    public static void ClusterRequestReenter<T>(
        this IContext context, string identity, string kind, object message, Func<Task<T>, Task> callback, CancellationToken ct) =>
        context.ReenterAfter(context.ClusterRequestAsync<T>(identity, kind, message, ct), callback);

    public static void ClusterRequestReenter<T>(
        this IContext context, ClusterIdentity clusterIdentity, object message, Func<Task<T>, Task> callback, CancellationToken ct) =>
        context.ReenterAfter(context.Cluster().RequestAsync<T>(clusterIdentity, message, context, ct), callback);
}
