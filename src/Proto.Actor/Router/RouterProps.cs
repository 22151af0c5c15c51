namespace Proto.Router;

/// <summary>Makes Props whose every spawn is a router with routees of its own.</summary>
internal static class RouterProps
{
    public static Props Group(Func<ActorSystem, RoutingLogic> createLogic, PID[] routees) =>
        Props.Empty.WithSpawner((system, id, props, parent, callback) =>
        {
            var set = new RouteeSet(createLogic(system));
            foreach (var pid in routees) set.Add(pid);
            return Spawn(system, id, props.WithProducer(() => new RouterActor(set, null, 0)), parent, callback, set);
        });

    public static Props Pool(Func<ActorSystem, RoutingLogic> createLogic, Props routeeProps, int poolSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(poolSize, 1);
        return Props.Empty.WithSpawner((system, id, props, parent, callback) =>
        {
            var set = new RouteeSet(createLogic(system));
            // Spawned with the router: its first message already finds them.
            var pool = props
                .WithProducer(() => new RouterActor(set, routeeProps, poolSize))
                .WithOnInit(context =>
                {
                    for (var i = 0; i < poolSize; i++) set.Add(context.Spawn(routeeProps));
                });
            return Spawn(system, id, pool, parent, callback, set);
        });
    }

    private static PID Spawn(ActorSystem system, string id, Props props, PID? parent, Action<IContext>? callback, RouteeSet routees) =>
        Props.SpawnProcess(system, id, props, parent, callback, (owner, mailbox) => new RouterProcess(owner, mailbox, routees));
}
