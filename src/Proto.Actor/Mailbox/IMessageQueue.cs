using System.Diagnostics.CodeAnalysis;

namespace Proto.Mailbox;

/// <summary>User messages of one mailbox: many producers, one consumer at a time. A struct, so that the mailbox calls it directly.</summary>
internal interface IMessageQueue
{
    int Count { get; }

    /// <summary>Consumer side, but harmless from others: they may see a message that is being taken.</summary>
    bool IsEmpty { get; }

    /// <summary>False when the queue refuses the message.</summary>
    bool TryEnqueue(object message);

    bool TryDequeue([MaybeNullWhen(false)] out object message);

    /// <summary>Consumer side: the queue holds memory that it does not need while it is empty.</summary>
    bool HasSpareRoom { get; }

    /// <summary>Consumer side: gives that memory back if the queue is empty. Producers may go on meanwhile.</summary>
    void Trim();
}
