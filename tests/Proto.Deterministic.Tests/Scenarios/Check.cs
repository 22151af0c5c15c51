using System.Diagnostics.CodeAnalysis;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>What a scenario found to be wrong.</summary>
sealed class WrongException(string what) : Exception(what);

static class Check
{
    public static void That([DoesNotReturnIf(false)] bool holds, string otherwise)
    {
        if (!holds) throw new WrongException(otherwise);
    }

    /// <summary>All systems are down and their last timers have run out: nothing may wait any more.</summary>
    public static void NothingWaits(DeterministicWorld world)
    {
        world.RunFor(TimeSpan.FromMinutes(2));
        var left = world.Leftovers();
        That(left.Count == 0, $"something still waits:\n{string.Join('\n', left)}");
    }
}
