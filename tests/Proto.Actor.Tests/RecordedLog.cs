using Microsoft.Extensions.Logging;

namespace Proto.Actor.Tests;

/// <summary>Keeps what is logged, as "Level: text".</summary>
internal sealed class RecordedLog : ILoggerFactory, ILogger
{
    public Probe Entries { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) { }

    public void Dispose() { }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) Entries.Add($"{logLevel}: {formatter(state, exception)}");
    }
}
