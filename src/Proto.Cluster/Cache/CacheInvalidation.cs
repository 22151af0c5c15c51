namespace Proto.Cluster;

public static class CacheInvalidationExtensions
{
    /// <summary>
    /// Tells every system whose requests reached an activation of the kind when that activation ends, so that its PID cache forgets it at
    /// once. Otherwise a client finds out by a dead letter, and asks again.
    /// </summary>
    public static ClusterKind WithPidCacheInvalidation(this ClusterKind clusterKind) =>
        clusterKind.WithProps(static props => props.WithContextDecorator(static context => new CacheInvalidatingContext(context)));
}

/// <summary>Remembers which systems have asked its actor.</summary>
sealed class CacheInvalidatingContext(IContext inner) : ActorContextDecorator(inner)
{
    /// <summary>The PIDs of systems beyond it are found stale by a dead letter.</summary>
    internal const int MaxAskers = 1000;

    const string ClientPrefix = ActorSystem.Client + "/";

    readonly HashSet<PID> _invalidators = [];
    string _lastAddress = "";
    string _lastClient = ClientPrefix;

    public override async Task Receive(MessageEnvelope envelope)
    {
        if (envelope.Sender is { } sender) Remember(sender);
        await base.Receive(envelope);
        if (envelope.Message is Stopping) Tell();
    }

    /// <summary>Nearly always who asked before.</summary>
    void Remember(PID sender)
    {
        if (!string.Equals(sender.Address, System.Address, StringComparison.Ordinal))
        {
            if (string.Equals(sender.Address, _lastAddress, StringComparison.Ordinal)) return;
            _lastAddress = sender.Address;
            Add(PID.FromAddress(sender.Address, CacheInvalidator.Name));
        }
        else if (sender.Id.StartsWith(ClientPrefix, StringComparison.Ordinal) && !IsOf(_lastClient, sender.Id))
        {
            // A client's actors are reached through the member that it is connected to: $client/{system}/{id} here.
            var end = sender.Id.IndexOf('/', ClientPrefix.Length);
            if (end < 0) return;
            _lastClient = sender.Id[..(end + 1)];
            Add(PID.FromAddress(System.Address, _lastClient + CacheInvalidator.Name));
        }
    }

    static bool IsOf(string client, string id) => client.Length > ClientPrefix.Length && id.StartsWith(client, StringComparison.Ordinal);

    void Add(PID invalidator)
    {
        if (_invalidators.Count < MaxAskers) _invalidators.Add(invalidator);
    }

    void Tell()
    {
        if (this.ClusterIdentity() is not { } identity) return;
        var terminating = new ActivationTerminating { Pid = Self, ClusterIdentity = identity };
        foreach (var invalidator in _invalidators) base.Send(invalidator, terminating);
    }
}

/// <summary>Takes in that activations elsewhere end (<c>$invalidator</c>), on members and clients.</summary>
sealed class CacheInvalidator : IActor
{
    public const string Name = "$invalidator";

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case ActivationTerminating terminating: context.System.Cluster().PidCache.Ended(terminating.ClusterIdentity, terminating.Pid); break;
            case ActivationTerminated terminated: context.System.Cluster().PidCache.Ended(terminated.ClusterIdentity, terminated.Pid); break;
        }

        return Task.CompletedTask;
    }
}
