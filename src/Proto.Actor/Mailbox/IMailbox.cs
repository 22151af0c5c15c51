namespace Proto.Mailbox;

/// <summary>The queue of an actor and the turn-taking on it: one message at a time, system messages first.</summary>
public interface IMailbox
{
    /// <summary>Waiting user messages; exact only when nobody posts.</summary>
    int UserMessageCount { get; }

    void PostUserMessage(object msg);

    void PostSystemMessage(SystemMessage msg);

    void RegisterHandlers(IMessageInvoker invoker, IDispatcher dispatcher);

    /// <summary>Nothing is handled before this; what was posted until then waits.</summary>
    void Start();
}

/// <summary>Handles the messages that a mailbox takes out, one at a time.</summary>
public interface IMessageInvoker
{
    ValueTask InvokeSystemMessageAsync(SystemMessage msg);

    ValueTask InvokeUserMessageAsync(object msg);

    /// <summary>A handler threw; the mailbox goes on with system messages only after the invoker suspends it.</summary>
    void EscalateFailure(Exception reason, object? message);
}

/// <summary>Observes a mailbox. Called on the poster's and the actor's threads; must be quick.</summary>
public interface IMailboxStatistics
{
    void MailboxStarted();

    void MessagePosted(object message);

    void MessageReceived(object message);

    void MailboxEmpty();
}
