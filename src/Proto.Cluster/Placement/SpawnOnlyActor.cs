namespace Proto.Cluster.Placement;

/// <summary>Hosts activations for whoever asks: for lookups that decide elsewhere what may be started here.</summary>
sealed class SpawnOnlyActor(ActivationHost host) : IActor
{
    public static Props Props(Cluster cluster) => ActivationHost.PropsOf(cluster, host => new SpawnOnlyActor(host));

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case ActivationRequest { ClusterIdentity: null }: context.Respond(ActivationHost.RefusedWithoutIdentity()); break;
            case ActivationRequest request: host.Activate(context, request.ClusterIdentity, static () => null); break;
            case PlacementDiagnostics: context.Respond(new PlacementDiagnostics("", host.Count, [])); break;
            case Terminated terminated: host.Ended(context, terminated.Who); break;
            case Drain: host.Close(context); break;
        }

        return Task.CompletedTask;
    }
}
