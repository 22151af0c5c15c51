using System.Diagnostics;
using System.Globalization;
using ActorCluster.Simulation.Groups;
using Xunit.Abstractions;

namespace ActorCluster.Simulation.Tests;

/// <summary>
/// Many seeds of <see cref="GroupSimulation"/>. A failure prints the command that replays its seed. Environment:
/// SIM_FROM (first seed), SIM_SEEDS (how many), SIM_FAULT (put a fault in), SIM_TRACE (file for the whole trace; for one seed).
/// </summary>
public sealed class GroupSimulationTests(ITestOutputHelper output)
{
    const string DefaultFrom = "1";
    const string DefaultSeeds = "400";

    /// <summary>What the default seeds must have gone through: a state that the generator never reaches is not tested.</summary>
    static readonly string[] Covered =
    [
        "conflicting tail overwritten", "crash that lost unsynced writes", "died inside a disk operation", "election won",
        "joint configuration committed", "leader stepped down", "message duplicated", "message lost", "new leader struck", "read at a follower", "request repeated",
        "snapshot installed", "snapshot taken", "stopped by a disk error", "suspect replica repaired", "append refused for want of room", "waited for room on the disk", "torn write", "write ended NotExecuted", "write ended Unknown",
        .. Enum.GetNames<NemesisMove>().Select(m => $"nemesis: {m}"),
    ];

    [Fact]
    public void Seeds()
    {
        var from = ulong.Parse(Setting("SIM_FROM", DefaultFrom), CultureInfo.InvariantCulture);
        var seeds = int.Parse(Setting("SIM_SEEDS", DefaultSeeds), CultureInfo.InvariantCulture);
        var fault = Enum.Parse<InjectedFault>(Setting("SIM_FAULT", nameof(InjectedFault.None)));
        var trace = Setting("SIM_TRACE", "");

        using var file = trace.Length == 0 ? null : new StreamWriter(trace);
        var coverage = new Coverage();
        long steps = 0;
        double virtualSeconds = 0;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < seeds; i++)
        {
            var options = SwarmOptions.Draw(from + (ulong)i) with { Fault = fault };
            var report = GroupSimulation.Run(options, file is null ? null : e => file.WriteLine(e));
            Assert.True(report.Ok, $"Replay with\n  {report.ReplayCommand}\n{report.Failure}");
            coverage.Add(report.Coverage);
            steps += report.Steps;
            virtualSeconds += report.VirtualMicros / 1e6;
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{seeds} seeds from {from}: {steps} steps, {virtualSeconds:F0} s of virtual time in {watch.Elapsed.TotalSeconds:F1} s; {seeds / watch.Elapsed.TotalSeconds:F1} seeds/s"));
        output.WriteLine(coverage.ToString());
        if (seeds >= int.Parse(DefaultSeeds, CultureInfo.InvariantCulture))
            Assert.Empty(Covered.Where(c => !coverage.Counts.TryGetValue(c, out var times) || times == 0));
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        for (var seed = 1UL; seed <= 12; seed++)
        {
            var first = GroupSimulation.Run(SwarmOptions.Draw(seed));
            var second = GroupSimulation.Run(SwarmOptions.Draw(seed));
            Assert.True(first.Steps > 100, $"seed {seed} does nothing");
            Assert.Equal((first.TraceHash, first.Steps, first.VirtualMicros), (second.TraceHash, second.Steps, second.VirtualMicros));
        }
    }

    [Fact]
    public void Different_seeds_give_different_traces() =>
        Assert.Equal(20, Enumerable.Range(1, 20).Select(seed => GroupSimulation.Run(SwarmOptions.Draw((ulong)seed)).TraceHash).Distinct().Count());

    static string Setting(string name, string otherwise) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;
}
