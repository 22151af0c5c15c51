namespace Proto.Remote.Endpoints;

/// <summary>
/// When the next attempt to reach an address is due: after a pause that doubles with every failure in a row up to a limit, less a random part of
/// up to half, so that many systems do not call a returning peer at the same moment.
/// </summary>
sealed class ReconnectBackoff(EndpointWriterOptions options, TimeProvider time, ISystemRuntime runtime)
{
    TimeSpan _pause;
    long _lastFailure;

    /// <summary>Failures in a row.</summary>
    public int Failures { get; private set; }

    /// <summary>Zero when an attempt may be made now.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (Failures == 0) return TimeSpan.Zero;
            var left = _pause - time.GetElapsedTime(_lastFailure);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public void Failed()
    {
        Failures++;
        _lastFailure = time.GetTimestamp();
        var longest = options.MaxRetryBackOff > options.RetryBackOff ? options.MaxRetryBackOff : options.RetryBackOff;
        var grown = options.RetryBackOff * (1L << Math.Min(Failures - 1, 30));
        _pause = (grown < longest ? grown : longest) * (1 - runtime.NextDouble() / 2);
    }

    public void Reset() => Failures = 0;
}
