namespace ActorCluster.Grains.Actors;

/// <summary>What happened to a virtual actor on this node.</summary>
public enum GrainEventKind
{
    /// <summary>Activated; it has no state yet.</summary>
    Activated,

    /// <summary>Activated from state that an earlier activation left.</summary>
    Reactivated,

    /// <summary>Could not be activated.</summary>
    ActivationFailed,

    /// <summary>Unloaded because nobody used it.</summary>
    Passivated,

    /// <summary>Ended: this node leads its partition no more or was removed from the cluster, a commit was lost, or it stopped itself.</summary>
    Deactivated,
}

/// <summary>Published on the actor system's event stream (row B55).</summary>
/// <param name="What">What happened.</param>
/// <param name="Kind">Of the virtual actor.</param>
/// <param name="Identity">Of the virtual actor.</param>
/// <param name="Epoch">Of the activation.</param>
/// <param name="Reason">Why; for people.</param>
public sealed record GrainEvent(GrainEventKind What, string Kind, string Identity, Epoch Epoch, string Reason);
