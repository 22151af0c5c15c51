using ActorCluster.Cli;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

// Failures reach the user as messages of ours; the engine's own log would only stand between them.
Proto.Log.SetLoggerFactory(NullLoggerFactory.Instance);

// Tables keep their width in a pipe: what is cut off cannot be searched.
if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 240;
return await new ActorCtl(Console.Out, Console.Error, AnsiConsole.Console, Environment.GetEnvironmentVariable).RunAsync(args, stop.Token);
