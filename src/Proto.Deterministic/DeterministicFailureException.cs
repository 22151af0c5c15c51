namespace Proto.Deterministic;

/// <summary>A run went wrong: its message says when, what happened last, and with which seed it can be repeated.</summary>
public sealed class DeterministicFailureException(ulong seed, string what, Exception? cause, string trace)
    : Exception(
        $"seed {seed}: {what}{(cause is null ? "" : $": {cause.Message}")}\n"
        + $"Run it again, with its whole trace: set {Swarm.SeedVariable}={seed}, or make the world with this seed.\nThe latest events:\n{trace}",
        cause)
{
    /// <summary>The same seed and code fail the same way.</summary>
    public ulong Seed { get; } = seed;
}
