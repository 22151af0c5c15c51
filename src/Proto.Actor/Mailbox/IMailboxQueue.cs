using System.Diagnostics.CodeAnalysis;

namespace Proto.Mailbox;

/// <summary>An application's own queue of user messages, for example one by priority. Pushed to from many threads, popped from one at a time.</summary>
public interface IMailboxQueue
{
    /// <summary>May be asked from any thread.</summary>
    bool HasMessages { get; }

    /// <inheritdoc cref="HasMessages"/>
    int Length { get; }

    void Push(object message);

    /// <summary>Null when the queue is empty.</summary>
    object? Pop();
}

internal readonly struct CustomQueue(IMailboxQueue queue) : IMessageQueue
{
    public int Count => queue.Length;

    public bool IsEmpty => !queue.HasMessages;

    public bool HasSpareRoom => false;

    public bool TryEnqueue(object message)
    {
        queue.Push(message);
        return true;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out object message)
    {
        message = queue.Pop();
        return message is not null;
    }

    public void Trim() { }
}
