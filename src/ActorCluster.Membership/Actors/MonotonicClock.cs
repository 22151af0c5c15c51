namespace ActorCluster.Membership.Actors;

/// <summary>Milliseconds that only rise, for the pure parts.</summary>
sealed class MonotonicClock(TimeProvider time)
{
    readonly long _start = time.GetTimestamp();

    public TimeProvider Time => time;

    public long NowMs => (long)time.GetElapsedTime(_start).TotalMilliseconds;
}
