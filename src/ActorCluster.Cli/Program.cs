using ActorCluster.Cli;
using Spectre.Console;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

// Tables keep their width in a pipe: what is cut off cannot be searched.
if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 240;
return await new ActorCtl(Console.Out, Console.Error, AnsiConsole.Console, Environment.GetEnvironmentVariable).RunAsync(args, stop.Token);
