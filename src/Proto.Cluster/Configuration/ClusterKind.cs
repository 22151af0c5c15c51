namespace Proto.Cluster;

/// <summary>May this identity be activated?</summary>
public delegate ValueTask<bool> CanSpawnIdentity(string identity, CancellationToken cancellationToken);

/// <summary>A kind of virtual actor that this member hosts.</summary>
public record ClusterKind(string Name, Props Props)
{
    public Func<Cluster, IMemberStrategy>? StrategyBuilder { get; init; }

    public CanSpawnIdentity? CanSpawnIdentity { get; init; }

    public ClusterKind WithProps(Func<Props, Props> configureProps) => this with { Props = configureProps(Props) };

    public ClusterKind WithMemberStrategy(Func<Cluster, IMemberStrategy> strategyBuilder) => this with { StrategyBuilder = strategyBuilder };

    public ClusterKind WithSpawnPredicate(CanSpawnIdentity spawnPredicate) => this with { CanSpawnIdentity = spawnPredicate };
}

/// <summary>A kind in a running cluster.</summary>
public class ActivatedClusterKind
{
    internal ActivatedClusterKind(string name, Props props, IMemberStrategy? strategy, CanSpawnIdentity? canSpawnIdentity)
    {
        Name = name;
        Props = props;
        Strategy = strategy;
        CanSpawnIdentity = canSpawnIdentity;
    }

    public string Name { get; }

    /// <summary>Spawn with <see cref="ClusterContextExtensions.SetClusterIdentity"/> as the callback's work, so that the actor knows its identity.</summary>
    public Props Props { get; }

    public IMemberStrategy? Strategy { get; }

    public CanSpawnIdentity? CanSpawnIdentity { get; }
}
