namespace Proto.Cluster.Tests;

/// <summary>Time that moves when the test says so. It has no timers.</summary>
sealed class ManualTime : TimeProvider
{
    long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);

    public void Pass(TimeSpan duration) => _ticks += duration.Ticks;
}
