using System.Diagnostics;
using System.Globalization;
using System.Text;
using Proto.Deterministic.Tests.Scenarios;

namespace Proto.Deterministic.Tests;

public class DeterminismTests
{
    public static TheoryData<string> Scenarios => [.. Scenario.All.Keys.Where(name => !string.Equals(name, "overtaking", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void The_same_seed_gives_the_same_trace(string scenario)
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var (first, firstHash) = Trace(scenario, seed);
            var (second, secondHash) = Trace(scenario, seed);

            Assert.Equal(first, second);
            Assert.Equal(firstHash, secondHash);
        }
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Different_seeds_give_different_interleavings(string scenario)
    {
        var hashes = Enumerable.Range(1, 20).Select(seed => Trace(scenario, (ulong)seed).Hash).Distinct();

        Assert.Equal(20, hashes.Count());
    }

    /// <summary>Another process has other hash codes of strings, another heap and another timing.</summary>
    [Theory]
    [InlineData("remote", 5)]
    [InlineData("watch", 6)]
    [InlineData("cluster", 7)]
    public async Task Another_process_gives_the_same_trace_byte_for_byte(string scenario, ulong seed)
    {
        var here = await Task.Run(() => Trace(scenario, seed).Text); // a world wants one thread for itself
        var there = await RunProcessAsync(scenario, seed);
        var elsewhere = await RunProcessAsync(scenario, seed);

        Assert.Equal(there, elsewhere);
        Assert.StartsWith(here, Encoding.UTF8.GetString(there), StringComparison.Ordinal);
    }

    static (string Text, ulong Hash) Trace(string scenario, ulong seed)
    {
        var text = new StringBuilder();
        var result = Swarm.Single(seed, Scenario.All[scenario], line => text.Append(line).Append('\n'));
        return (text.ToString(), result.Hash);
    }

    static async Task<byte[]> RunProcessAsync(string scenario, ulong seed)
    {
        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(Scenario).Assembly.Location, scenario, seed.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
        })!;
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }
}
