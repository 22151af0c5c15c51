using System.Globalization;

namespace ActorCluster.Simulation.Groups;

/// <summary>What came of a run.</summary>
/// <param name="Options">What it was made of.</param>
/// <param name="Failure">What broke, with the last events; null when everything held.</param>
/// <param name="TraceHash">Hash over everything that happened: the same for the same options.</param>
/// <param name="Steps">Actions of the world.</param>
/// <param name="VirtualMicros">Virtual time that passed.</param>
/// <param name="Coverage">How often each interesting thing happened.</param>
public sealed record SimReport(
    SwarmOptions Options,
    string? Failure,
    ulong TraceHash,
    long Steps,
    long VirtualMicros,
    Coverage Coverage)
{
    public bool Ok => Failure is null;

    /// <summary>The one command that runs this again, with its whole trace.</summary>
    public string ReplayCommand => string.Create(
        CultureInfo.InvariantCulture,
        $"SIM_FROM={Options.Seed} SIM_SEEDS=1{(Options.Fault == InjectedFault.None ? "" : $" SIM_FAULT={Options.Fault}")} SIM_TRACE=trace.txt dotnet test tests/ActorCluster.Simulation.Tests --filter GroupSimulationTests.Seeds");
}

/// <summary>
/// Counts what runs went through, so that "we test X while Y" is a number and not a hope: a generator that never reaches
/// a state tests nothing there (faults F1).
/// </summary>
public sealed class Coverage
{
    readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Count(string what, long times = 1)
    {
        _counts.TryGetValue(what, out var before);
        _counts[what] = before + times;
    }

    public void Add(Coverage other)
    {
        foreach (var (what, times) in other._counts) Count(what, times);
    }

    public override string ToString() => string.Join('\n', _counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"  {c.Key,-44} {c.Value}")));
}
