namespace Proto.Cluster;

/// <summary>A kind in a running cluster.</summary>
public class ActivatedClusterKind
{
    int _count;

    internal ActivatedClusterKind(string name, Props props, IMemberStrategy? strategy, CanSpawnIdentity? canSpawnIdentity)
    {
        Name = name;
        Props = props;
        Strategy = strategy;
        CanSpawnIdentity = canSpawnIdentity;
        ActivationProps = props with { GuardianStrategy = null };
        Deduplicates = RequestDeduplication.IsIn(props);
    }

    public string Name { get; }

    /// <summary>Spawn with <see cref="ClusterContextExtensions.SetClusterIdentity"/> as the callback's work, so that the actor knows its identity.</summary>
    public Props Props { get; }

    public IMemberStrategy? Strategy { get; }

    public CanSpawnIdentity? CanSpawnIdentity { get; }

    /// <summary>Activations of the kind on this member.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>For an activation that is another actor's child: the host heeds the guardian strategy itself.</summary>
    internal Props ActivationProps { get; }

    /// <summary>Its activations recognise repeated requests.</summary>
    internal bool Deduplicates { get; }

    /// <summary>For identity lookups: one more activation.</summary>
    public void Inc() => Interlocked.Increment(ref _count);

    /// <summary>For identity lookups: an activation ended.</summary>
    public void Dec() => Interlocked.Decrement(ref _count);
}
