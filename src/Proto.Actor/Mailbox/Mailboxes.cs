using System.Threading.Channels;

namespace Proto.Mailbox;

public static class UnboundedMailbox
{
    public static IMailbox Create(params IMailboxStatistics[] stats) => new DefaultMailbox<SegmentedQueue>(default, stats);
}

/// <summary>A mailbox around an application's own queue of user messages.</summary>
public static class CustomMailbox
{
    public static IMailbox Create(IMailboxQueue userMessages, params IMailboxStatistics[] stats) =>
        new DefaultMailbox<CustomQueue>(new CustomQueue(userMessages), stats);
}

/// <summary>A mailbox that holds at most <c>size</c> user messages. What does not fit goes to dead letters, so a requester is told at once.</summary>
public static class BoundedMailbox
{
    /// <summary>Refuses the newest message when full.</summary>
    public static IMailbox Create(int size, params IMailboxStatistics[] stats) => new BoundedDefaultMailbox(size, BoundedChannelFullMode.Wait, stats);

    /// <param name="size">Most user messages held.</param>
    /// <param name="fullMode">Which message loses when full. Posting never waits: <see cref="BoundedChannelFullMode.Wait"/> refuses the newest.</param>
    /// <param name="stats">Observers.</param>
    public static IMailbox Create(int size, BoundedChannelFullMode fullMode, params IMailboxStatistics[] stats) =>
        new BoundedDefaultMailbox(size, fullMode, stats);
}

internal sealed class BoundedDefaultMailbox : DefaultMailbox<BoundedQueue>
{
    private Action<object>? _dropped;

    public BoundedDefaultMailbox(int size, BoundedChannelFullMode mode, IMailboxStatistics[] statistics) : base(default, statistics)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Queue = new BoundedQueue(new BoundedRing(size, mode, Refused));
    }

    public override void Attach(ActorSystem system, string id)
    {
        base.Attach(system, id);
        _dropped = message => system.DeadLetters.Undelivered(new PID(system.Address, id), message, "its mailbox is full");
    }

    private protected override void Refused(object msg) => _dropped?.Invoke(msg);
}
