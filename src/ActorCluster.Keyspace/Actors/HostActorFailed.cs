using Proto;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// Published on the event stream when an actor that the node cannot do without threw: what it knew is gone, and one that began
/// anew within a term would give out epochs a second time. The node must stop.
/// </summary>
public sealed record HostActorFailed(string Actor, Exception Error);

/// <summary>Supervision of the actors that hold what a node may do only once.</summary>
public static class HostSupervision
{
    /// <summary>The actor is never restarted: its failure is the node's.</summary>
    public static Props FailingTheNode(this Props props, ActorSystem system, string actor) =>
        props.WithGuardianSupervisorStrategy(new OneForOneStrategy(
            (_, error) =>
            {
                system.EventStream.Publish(new HostActorFailed(actor, error));
                return SupervisorDirective.Stop;
            },
            0, null));
}
