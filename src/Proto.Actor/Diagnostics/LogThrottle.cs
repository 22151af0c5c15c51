namespace Proto;

/// <summary>Lets at most <c>limit</c> events through per period; counts the others.</summary>
internal sealed class LogThrottle(TimeProvider time, int limit, TimeSpan period)
{
    private readonly Lock _gate = new();
    private long _periodStart = time.GetTimestamp();
    private int _passed;
    private int _suppressed;

    /// <summary>True when the event may be logged; then <paramref name="suppressed"/> tells how many before it were not.</summary>
    public bool TryEnter(out int suppressed)
    {
        lock (_gate)
        {
            suppressed = 0;
            if (time.GetElapsedTime(_periodStart) >= period)
            {
                _periodStart = time.GetTimestamp();
                _passed = 0;
                suppressed = _suppressed;
                _suppressed = 0;
            }

            if (_passed < limit)
            {
                _passed++;
                return true;
            }

            _suppressed++;
            return false;
        }
    }
}
