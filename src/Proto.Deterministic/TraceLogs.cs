using Microsoft.Extensions.Logging;

namespace Proto.Deterministic;

/// <summary>Shows a node's log between the events of the trace, for whoever listens.</summary>
sealed class TraceLogs(Node node) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the log of a deterministic world goes to its trace");

    public void Dispose() { }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => node.World.Trace.Listener is not null && logLevel is >= LogLevel.Information and not LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var text = formatter(state, exception);
        node.World.Trace.Note(node.World.Now, node.Name, "log", exception is null ? $"{logLevel}: {text}" : $"{logLevel}: {text} ({exception.GetType().Name}: {exception.Message})");
    }
}
