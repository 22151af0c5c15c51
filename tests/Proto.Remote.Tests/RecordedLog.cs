using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Proto.Remote.Tests;

/// <summary>Keeps every line that is logged, at every level, and lets a test wait for one.</summary>
sealed class RecordedLog : ILoggerFactory, ILogger
{
    readonly ConcurrentQueue<string> _all = new();
    readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public IReadOnlyCollection<string> All => _all;

    /// <summary>The next line that contains the text; earlier ones are passed over.</summary>
    public async Task<string> LineWith(string text)
    {
        try
        {
            while (true)
            {
                var line = await _lines.Reader.ReadAsync(TestNode.Soon());
                if (line.Contains(text, StringComparison.Ordinal)) return line;
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no line has '{text}':\n{string.Join('\n', _all)}");
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) { }

    public void Dispose() { }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{logLevel}: {formatter(state, exception)} {exception}";
        _all.Enqueue(line);
        _lines.Writer.TryWrite(line);
    }
}
