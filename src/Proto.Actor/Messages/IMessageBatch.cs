namespace Proto;

/// <summary>
/// Several messages sent as one. The target's mailbox gets each of them, one after the other and without sender, and then the batch itself, with its
/// sender: an actor that handles the batch, or an <see cref="IAutoRespond"/> batch, answers when all before it are done.
/// </summary>
public interface IMessageBatch
{
    IReadOnlyCollection<object> GetMessages();
}
