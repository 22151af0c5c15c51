using System.Diagnostics;
using System.Globalization;
using Proto.Deterministic;
using Proto.Deterministic.Tests.Scenarios;

// Runs scenarios outside of the tests:
//   dotnet run -c Release --project tests/Proto.Deterministic.Tests -- <scenario> <seed>                 one seed, with its whole trace
//   dotnet run -c Release --project tests/Proto.Deterministic.Tests -- <scenario> <first seed> <count>   many, with their speed
var numbers = new ulong[2];
if (args.Length is < 2 or > 3
    || !Scenario.All.TryGetValue(args[0], out var scenario)
    || !args.Skip(1).Select((text, index) => ulong.TryParse(text, CultureInfo.InvariantCulture, out numbers[index])).All(parsed => parsed))
{
    Console.Error.WriteLine($"usage: <scenario> <seed> [<count>], where scenario is one of {string.Join(", ", Scenario.All.Keys)}");
    return 2;
}

using var output = new StreamWriter(Console.OpenStandardOutput());
var began = Stopwatch.GetTimestamp();
try
{
    var result = args.Length == 2 ? Swarm.Single(numbers[0], scenario, output.WriteLine) : Swarm.Run(numbers[0], (int)numbers[1], scenario);
    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Runs} runs, {result.Steps} steps, hash {result.Hash:x16}"));
    if (args.Length == 3) output.WriteLine($"{result.Steps / Stopwatch.GetElapsedTime(began).TotalSeconds:F0} steps per second");
    return 0;
}
catch (DeterministicFailureException failure)
{
    output.WriteLine(failure);
    return 1;
}
