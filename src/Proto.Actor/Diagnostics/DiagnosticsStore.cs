using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Proto.Diagnostics;

/// <summary>A fact for whoever inspects a running system.</summary>
public sealed record DiagnosticsEntry(string Module, string? Message, object? Data);

/// <summary>Facts about a running system: the last <see cref="MaxEvents"/> events, and the current objects by module and key.</summary>
public sealed partial class DiagnosticsStore
{
    public const int MaxEvents = 1000;

    private readonly ConcurrentQueue<DiagnosticsEntry> _events = new();
    private readonly ConcurrentDictionary<(string Module, string Key), Func<object>> _objects = new();

    private readonly ILogger _logger;
    private readonly LogLevel _level;

    internal DiagnosticsStore(ILogger logger, LogLevel level)
    {
        _logger = logger;
        _level = level;
    }

    public void RegisterEvent(string module, string message)
    {
        LogEvent(_logger, _level, module, message);
        _events.Enqueue(new DiagnosticsEntry(module, message, null));
        while (_events.Count > MaxEvents) _events.TryDequeue(out _);
    }

    public void RegisterObject(string module, string key, object data) => _objects[(module, key)] = () => data;

    public void RegisterObject(string module, string key, Func<object> data) => _objects[(module, key)] = data;

    public DiagnosticsEntry[] Get() =>
        [.. _events, .. _objects.Select(entry => new DiagnosticsEntry(entry.Key.Module, entry.Key.Key, entry.Value()))];

    [LoggerMessage(Message = "[Diagnostics] {Module}: {DiagnosticsEvent}")]
    private static partial void LogEvent(ILogger logger, LogLevel level, string module, string diagnosticsEvent);
}
