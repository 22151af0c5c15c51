namespace Proto.Router;

/// <summary>From a router's process to the actor behind it.</summary>
internal abstract record Housekeeping : InfrastructureMessage;

internal sealed record RouteeAdded(PID Pid) : Housekeeping;

internal sealed record RouteeRemoved(PID Pid) : Housekeeping;

/// <summary>The router's poison pill: its routees finish what was routed to them before.</summary>
internal sealed record PoisonRoutees : Housekeeping
{
    public static readonly PoisonRoutees Instance = new();
}

/// <summary>The pause before a pool's routee is replaced is over.</summary>
internal sealed record ReplaceRoutee : Housekeeping
{
    public static readonly ReplaceRoutee Instance = new();
}
