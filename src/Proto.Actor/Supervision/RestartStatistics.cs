namespace Proto;

/// <summary>The failures of one actor.</summary>
public sealed class RestartStatistics
{
    private readonly TimeProvider _time;
    private readonly List<DateTimeOffset> _failures = [];

    public RestartStatistics(int failureCount, DateTime? lastFailureTime) : this(TimeProvider.System)
    {
        for (var i = 0; i < failureCount; i++) _failures.Add(lastFailureTime ?? DateTimeOffset.UnixEpoch);
    }

    internal RestartStatistics(TimeProvider time) => _time = time;

    public int FailureCount => _failures.Count;

    public DateTime? LastFailureTime => _failures.Count == 0 ? null : _failures[^1].UtcDateTime;

    /// <summary>Time since the latest failure; endless when there was none.</summary>
    internal TimeSpan SinceLastFailure => _failures.Count == 0 ? TimeSpan.MaxValue : _time.GetUtcNow() - _failures[^1];

    public void Fail()
    {
        // No strategy looks further back; an actor that fails for weeks must not grow.
        if (_failures.Count == MaxRemembered) _failures.RemoveAt(0);
        _failures.Add(_time.GetUtcNow());
    }

    public void Reset() => _failures.Clear();

    /// <summary>Failures within the period before now; all remembered ones for null.</summary>
    public int NumberOfFailures(TimeSpan? within)
    {
        if (within is not { } period) return _failures.Count;

        var from = _time.GetUtcNow() - period;
        return _failures.Count(failure => failure >= from);
    }

    private const int MaxRemembered = 1000;
}
