namespace Proto.Cluster;

/// <summary>Settings of one kind's deduplication; gives each activation a memory of its own.</summary>
sealed class RequestDeduplication(TimeSpan? window)
{
    internal const int MaxRequests = 10_000;
    internal const long MaxReplyBytes = 1 << 20;

    /// <summary>Of an actor that is used without a cluster.</summary>
    static readonly TimeSpan DefaultWindow = TimeSpan.FromMinutes(1);

    public static bool IsIn(Props props) => props.ContextDecorator.Exists(static decorate => decorate.Target is RequestDeduplication);

    public IContext Decorate(IContext context)
    {
        var remembered = window ?? context.System.Extensions.Get<Cluster>()?.Config.ClusterRequestDeDuplicationWindow ?? DefaultWindow;
        var memory = new ReplyMemory(context.System.Config.TimeProvider, remembered, MaxRequests, MaxReplyBytes);
        return new DeduplicatingContext(context, memory);
    }
}

public static class DeduplicationExtensions
{
    /// <summary>
    /// An activation with these props executes a request once, however often it is sent under its id, and answers each repetition with the
    /// first reply. It remembers requests for the window (<see cref="ClusterConfig.ClusterRequestDeDuplicationWindow"/> by default),
    /// at most 10,000 of them and replies of at most 1 MiB together; of a
    /// request whose reply no longer fits, a repetition is neither executed nor answered. The memory is the activation's own: it survives a
    /// restart of the actor's instance, and ends with the activation. A request whose handling throws is forgotten. Replies are what the
    /// actor gives to <c>Respond</c>, or sends to the request's sender.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The window is not positive.</exception>
    public static Props WithClusterRequestDeduplication(this Props props, TimeSpan? deduplicationWindow = null)
    {
        if (deduplicationWindow is { } window) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(window, TimeSpan.Zero, nameof(deduplicationWindow));
        return props.WithContextDecorator(new RequestDeduplication(deduplicationWindow).Decorate);
    }
}
