using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Proto.Mailbox;

/// <summary>At most a given number of messages; what does not fit is refused or displaces another, by mode.</summary>
internal readonly struct BoundedQueue(int size, BoundedChannelFullMode mode, Action<object> dropped) : IMessageQueue
{
    private readonly Channel<object> _channel = Channel.CreateBounded(
        new BoundedChannelOptions(size) { SingleReader = true, FullMode = mode },
        dropped);

    public int Count => _channel.Reader.Count;

    public bool IsEmpty => _channel.Reader.Count == 0;

    public bool TryEnqueue(object message) => _channel.Writer.TryWrite(message);

    public bool TryDequeue([MaybeNullWhen(false)] out object message) => _channel.Reader.TryRead(out message);
}
