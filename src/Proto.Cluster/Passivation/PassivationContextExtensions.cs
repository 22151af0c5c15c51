namespace Proto.Context;

public static class PassivationContextExtensions
{
    /// <summary>
    /// Ends the actor once no message has come for <paramref name="timeout"/>, after what it has in its queue. A virtual actor is activated
    /// again by its next request. An actor that sets a receive timeout of its own is not ended by this one as long as its own runs.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is not positive.</exception>
    public static Props WithPassivationContextDecorator(this Props props, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        return props.WithContextDecorator(context => new PassivationContextDecorator(context, timeout));
    }
}
