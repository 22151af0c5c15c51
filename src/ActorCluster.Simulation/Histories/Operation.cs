namespace ActorCluster.Simulation.Histories;

/// <summary>What a client asked of a key.</summary>
public enum OperationKind
{
    /// <summary>Sets the value.</summary>
    Put,

    /// <summary>Reads the value; null when the key does not exist.</summary>
    Get,

    /// <summary>Removes the key; tells whether it existed.</summary>
    Delete,

    /// <summary>Adds to a number (absent counts as 0) and returns the sum.</summary>
    Add,
}

/// <summary>How an operation ended (guarantee G6).</summary>
public enum OperationOutcome
{
    /// <summary>Took effect once, between invocation and return, with the recorded result.</summary>
    Ok,

    /// <summary>Had no effect and never will.</summary>
    NotExecuted,

    /// <summary>Took effect at any moment after the invocation, or never. Also: never returned.</summary>
    Unknown,
}

/// <summary>
/// One operation of a client as the client saw it. <paramref name="Invoked"/> and <paramref name="Returned"/> are places
/// in the history's total order of events; <see cref="long.MaxValue"/>: never returned.
/// </summary>
/// <param name="Client">Who asked.</param>
/// <param name="Key">What of.</param>
/// <param name="Kind">What.</param>
/// <param name="Argument">The value of a Put, the number of an Add.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Result">
/// The value of a Get (null: absent), the sum of an Add, "true" or "false" of a Delete (null: the caller was not told).
/// </param>
/// <param name="Invoked">When it was sent.</param>
/// <param name="Returned">When it ended.</param>
public sealed record Operation(
    int Client,
    string Key,
    OperationKind Kind,
    string? Argument,
    OperationOutcome Outcome,
    string? Result,
    long Invoked,
    long Returned)
{
    public override string ToString()
    {
        var end = Returned == long.MaxValue ? "∞" : $"{Returned}";
        return $"[{Invoked}..{end}] client {Client}: {Kind} {Key} {Argument} → {Outcome} {Result ?? "∅"}";
    }
}
