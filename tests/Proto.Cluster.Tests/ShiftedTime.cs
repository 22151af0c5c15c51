namespace Proto.Cluster.Tests;

/// <summary>The system's clock, moved on by what the test adds. Timers run as ever.</summary>
sealed class ShiftedTime : TimeProvider
{
    long _added;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Add(TimeSpan time) => Interlocked.Add(ref _added, time.Ticks);

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Interlocked.Read(ref _added);
}
