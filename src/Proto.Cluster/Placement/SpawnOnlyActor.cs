namespace Proto.Cluster.Placement;

/// <summary>Hosts activations for whoever asks: for lookups that decide elsewhere what may be started here.</summary>
sealed class SpawnOnlyActor(ActivationHost host) : IActor
{
    PID? _drained;

    public static Props Props(Cluster cluster)
    {
        var host = new ActivationHost(cluster);
        return Proto.Props.FromProducer(() => new SpawnOnlyActor(host)).WithChildSupervisorStrategy(host);
    }

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case ActivationRequest request: host.Activate(context, request.ClusterIdentity, static () => null); break;
            case PlacementDiagnostics: context.Respond(new PlacementDiagnostics("", host.Count, [])); break;
            case Terminated terminated:
                host.Ended(terminated.Who);
                Drained(context);
                break;
            case Drain:
                _drained = context.Sender;
                host.Close(context);
                Drained(context);
                break;
        }

        return Task.CompletedTask;
    }

    void Drained(IContext context)
    {
        if (_drained is not null && host.Count == 0) context.Send(_drained, Drain.Instance);
    }
}
