using System.Globalization;
using ActorCluster.Simulation.Groups;
using Xunit.Abstractions;

namespace ActorCluster.Simulation.Tests;

/// <summary>
/// A harness that cannot find the faults that others shipped proves nothing (faults F4): each is put back in, and must be
/// found within a bounded number of seeds; those that clients can see also with every check inside the cluster off.
/// docs/testing.md holds the table.
/// </summary>
public sealed class InjectedFaultTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(InjectedFault.AcknowledgeBeforeSync, 20)]
    [InlineData(InjectedFault.ForgetVoteOnRestart, 20)]
    [InlineData(InjectedFault.TrustDamagedLog, 50)]
    [InlineData(InjectedFault.ReadWithoutQuorum, 150)]
    [InlineData(InjectedFault.ReadBeforeOwnCommit, 300)]
    [InlineData(InjectedFault.NoSessionDeduplication, 100)]
    [InlineData(InjectedFault.WakeByIndexOnly, 100)]
    [InlineData(InjectedFault.SnapshotWithoutSessions, 400)]
    [InlineData(InjectedFault.ReportLostLeadershipAsNotExecuted, 100)]
    public void Is_found(InjectedFault fault, int withinSeeds) => Find(fault, withinSeeds, seed => SwarmOptions.Draw(seed));

    [Theory]
    [InlineData(InjectedFault.AcknowledgeBeforeSync, 200)]
    [InlineData(InjectedFault.ReadWithoutQuorum, 150)]
    [InlineData(InjectedFault.ReadBeforeOwnCommit, 300)]
    [InlineData(InjectedFault.NoSessionDeduplication, 100)]
    [InlineData(InjectedFault.WakeByIndexOnly, 100)]
    [InlineData(InjectedFault.ReportLostLeadershipAsNotExecuted, 100)]
    public void Is_found_by_what_clients_see(InjectedFault fault, int withinSeeds) =>
        Find(fault, withinSeeds, seed => SwarmOptions.Draw(seed) with { CheckInside = false });

    /// <summary>
    /// Figure 8 of the paper needs tails of several terms and a leader that falls between two of its appends: three nodes,
    /// slow disks, entries that travel alone, leaders struck in their first moments.
    /// </summary>
    [Fact]
    public void B5_Commit_of_an_older_term_by_counting_is_found() => Find(
        InjectedFault.CommitOldTermByCounting,
        300,
        seed =>
        {
            var options = SwarmOptions.Draw(seed);
            return options with
            {
                Nodes = 3,
                Groups = 4,
                Clients = 1,
                OperationsPerClient = 20,
                TickMicros = 40_000,
                DiskMicros = 100_000,
                Network = options.Network with { MaxDelayMicros = 40_000 },
                MaxAppendBytes = 1,
                Moves = [NemesisMove.StrikeNewLeader],
                NemesisMicros = 200_000,
                SafetyMicros = 30_000_000,
            };
        });

    void Find(InjectedFault fault, int withinSeeds, Func<ulong, SwarmOptions> draw)
    {
        for (var seed = 1UL; seed <= (ulong)withinSeeds; seed++)
        {
            var report = GroupSimulation.Run(draw(seed) with { Fault = fault });
            if (report.Ok) continue;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fault}: found by seed {seed}: {report.Failure!.Split('\n')[0]}"));
            // Found by a check, not by a crash of the harness.
            Assert.Matches("^(OracleViolationException|InvariantViolationException):", report.Failure);
            return;
        }

        Assert.Fail($"{fault} was not found by {withinSeeds} seeds");
    }
}
