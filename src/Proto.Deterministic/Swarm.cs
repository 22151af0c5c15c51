using System.Globalization;

namespace Proto.Deterministic;

/// <summary>
/// Runs one scenario in many worlds, each with its own seed: many small runs with different schedules and faults find more than a long one.
/// </summary>
public static class Swarm
{
    /// <summary>When the environment has this variable, a swarm runs that seed alone and writes its trace to standard output.</summary>
    public const string SeedVariable = "PROTO_SEED";

    /// <summary>Runs the scenario for <paramref name="count"/> seeds from <paramref name="firstSeed"/> on; stops at the first that fails.</summary>
    /// <exception cref="DeterministicFailureException">The scenario failed; the message names the seed and how to run it again.</exception>
    public static SwarmResult Run(ulong firstSeed, int count, Action<DeterministicWorld> scenario)
    {
        if (Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } only)
        {
            return Single(ulong.Parse(only, CultureInfo.InvariantCulture), scenario, Console.WriteLine);
        }

        var total = new SwarmResult(0, 0, 0);
        for (var run = 0; run < count; run++) total += Single(firstSeed + (ulong)run, scenario, null);
        return total;
    }

    /// <summary>One run.</summary>
    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="scenario">Makes systems in the world, runs it, and throws when what it sees is wrong.</param>
    /// <param name="listener">Gets the trace, line by line; null: nobody.</param>
    public static SwarmResult Single(ulong seed, Action<DeterministicWorld> scenario, Action<string>? listener = null)
    {
        using var world = new DeterministicWorld(seed);
        world.Trace.Listener = listener;
        try
        {
            scenario(world);
        }
        catch (DeterministicFailureException)
        {
            throw;
        }
        catch (Exception failure)
        {
            throw world.Failure("the scenario failed", failure);
        }

        return new SwarmResult(1, world.Steps, world.Trace.Hash);
    }
}

/// <param name="Runs">Worlds that ran.</param>
/// <param name="Steps">Work items that ran in them.</param>
/// <param name="Hash">Of all their traces.</param>
public readonly record struct SwarmResult(int Runs, long Steps, ulong Hash)
{
    public static SwarmResult operator +(SwarmResult a, SwarmResult b) => Add(a, b);

    public static SwarmResult Add(SwarmResult a, SwarmResult b) => new(a.Runs + b.Runs, a.Steps + b.Steps, StableHash.Add(a.Hash, b.Hash));
}
