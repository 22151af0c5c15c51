using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ActorCluster.Node.Startup;

/// <summary>One short line per event: <c>12:00:00.123 warn RaftHost: text</c>. An exception follows on the same line.</summary>
sealed class ShortConsoleFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "short";

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter output)
    {
        output.Write(time.GetUtcNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        output.Write(LevelOf(entry.LogLevel));
        output.Write(entry.Category.AsSpan(entry.Category.LastIndexOf('.') + 1));
        output.Write(": ");
        output.Write(OneLine(entry.Formatter(entry.State, entry.Exception)));
        if (entry.Exception is { } e)
        {
            output.Write(" | ");
            output.Write(OneLine(e.ToString()));
        }

        output.Write('\n');
    }

    static string OneLine(string text) => text.ReplaceLineEndings(" ");

    static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => " trce ",
        LogLevel.Debug => " dbug ",
        LogLevel.Information => " info ",
        LogLevel.Warning => " warn ",
        LogLevel.Error => " fail ",
        _ => " crit ",
    };
}
