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
