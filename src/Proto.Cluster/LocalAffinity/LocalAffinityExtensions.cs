using System.Runtime.CompilerServices;
using Proto.Utils;

namespace Proto.Cluster;

public static class LocalAffinityExtensions
{
    /// <summary>
    /// Activates identities on the member that asks for them, and lets an activation go when a member that hosts the kind too sends it a
    /// request from elsewhere: it answers what it has, ends, and is activated there by the next request. Its state in memory ends with it.
    /// Only with lookups that place by member strategy (<see cref="Partition.PartitionIdentityLookup"/>, <see cref="Identity.IdentityStorageLookup"/>).
    /// </summary>
    public static ClusterKind WithLocalAffinityRelocationStrategy(this ClusterKind clusterKind, LocalAffinityOptions? options = null)
    {
        var settings = options ?? new LocalAffinityOptions();
        var throttles = new ConditionalWeakTable<ActorSystem, ThrottleOfSystem>();
        return clusterKind
            .WithMemberStrategy(static _ => new LocalAffinityStrategy())
            .WithProps(props => props.WithReceiverMiddleware(next => (context, envelope) =>
                IsFromElsewhere(context, envelope, clusterKind.Name, settings)
                    ? LetGoAfter(next, context, envelope, throttles.GetValue(context.System, system => new ThrottleOfSystem(settings, system)))
                    : next(context, envelope)));
    }

    static bool IsFromElsewhere(IReceiverContext context, MessageEnvelope envelope, string kind, LocalAffinityOptions options) =>
        envelope.Sender is { } sender
        && !string.Equals(sender.Address, context.System.Address, StringComparison.Ordinal)
        && options.TriggersLocalAffinity?.Invoke(envelope) != false
        && context.System.Cluster().MemberList.IsHostAt(kind, sender.Address);

    static async Task LetGoAfter(Receiver next, IReceiverContext context, MessageEnvelope envelope, ThrottleOfSystem throttle)
    {
        await next(context, envelope);
        if (throttle.MayLetGo()) context.System.Root.Poison(context.Self);
    }

    /// <summary>Kinds are shared by the systems of one process, limits are not.</summary>
    sealed class ThrottleOfSystem(LocalAffinityOptions options, ActorSystem system)
    {
        readonly ShouldThrottle? _throttle = options.RelocationThroughput?.Create(timeProvider: system.Config.TimeProvider);

        public bool MayLetGo() => _throttle is null || _throttle().IsOpen();
    }
}
