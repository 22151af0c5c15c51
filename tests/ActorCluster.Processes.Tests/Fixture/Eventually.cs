using System.Diagnostics;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>Waits until something holds, for a bounded time that only a failure uses up.</summary>
static class Eventually
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="within">How long at most.</param>
    /// <param name="problem">Null when it holds; otherwise what is missing.</param>
    /// <param name="context">More for the failure message.</param>
    public static async Task HoldsAsync(TimeSpan within, Func<Task<string?>> problem, Func<string>? context = null)
    {
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Pause);
        while (await problem() is { } missing)
        {
            if (watch.Elapsed > within) Assert.Fail($"After {within.TotalSeconds:F0} s: {missing}\n{context?.Invoke()}");
            await timer.WaitForNextTickAsync();
        }
    }
}
