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

return await new ActorCtl(Console.Out, Console.Error, OpenConsole(), Environment.GetEnvironmentVariable).RunAsync(args, stop.Token);

// In a pipe or a file: plain text, and rows as wide as they are, because what is cut off cannot be searched.
static IAnsiConsole OpenConsole()
{
    if (!Console.IsOutputRedirected) return AnsiConsole.Console;
    var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
    console.Profile.Width = 240;
    return console;
}
