using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Proto.Mailbox;

/// <summary>
/// At most a given number of messages; what does not fit is refused or displaces another, by mode. A poison pill is never lost and always fits:
/// nothing behind it counts any more.
/// </summary>
internal readonly struct BoundedQueue(BoundedRing ring) : IMessageQueue
{
    public int Count => ring.Count;

    public bool IsEmpty => ring.Count == 0;

    public bool HasSpareRoom => ring.HasSpareRoom;

    public bool TryEnqueue(object message) => ring.TryEnqueue(message);

    public bool TryDequeue([MaybeNullWhen(false)] out object message) => ring.TryDequeue(out message);

    public void Trim() => ring.Trim();
}

/// <summary>A ring under a lock, which grows as far as it is used.</summary>
/// <param name="size">Most messages held, poison pills apart.</param>
/// <param name="mode">Which message loses when full.</param>
/// <param name="displaced">Told, outside of the lock, what had to make room.</param>
internal sealed class BoundedRing(int size, BoundedChannelFullMode mode, Action<object> displaced)
{
    private const int FirstCapacity = 4;

    private readonly Lock _gate = new();
    private object?[] _items = [];
    private int _first;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool HasSpareRoom => _items.Length > 0;

    /// <summary>False when the message itself is refused.</summary>
    public bool TryEnqueue(object message)
    {
        object? loser = null;
        lock (_gate)
        {
            if (_count >= size && !IsPoison(message) && !MakeRoom(out loser)) return false;

            if (_count == _items.Length) Grow();
            this[_count] = message;
            _count++;
        }

        if (loser is not null) displaced(loser);
        return true;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out object message)
    {
        if (Count == 0)
        {
            message = null;
            return false;
        }

        lock (_gate) message = TakeFirst();
        return true;
    }

    public void Trim()
    {
        lock (_gate)
        {
            if (_count == 0) _items = [];
        }
    }

    private ref object? this[int index] => ref _items[(_first + index) % _items.Length];

    private static bool IsPoison(object? message) => MessageEnvelope.UnwrapMessage(message) is PoisonPill;

    private bool MakeRoom([MaybeNullWhen(false)] out object loser)
    {
        loser = null;
        switch (mode)
        {
            case BoundedChannelFullMode.DropOldest when !IsPoison(this[0]):
                loser = TakeFirst();
                return true;
            case BoundedChannelFullMode.DropNewest when !IsPoison(this[_count - 1]):
                loser = this[_count - 1]!;
                this[_count - 1] = null;
                _count--;
                return true;
            default:
                return false;
        }
    }

    private object TakeFirst()
    {
        var taken = this[0]!;
        this[0] = null;
        _first = (_first + 1) % _items.Length;
        _count--;
        return taken;
    }

    private void Grow()
    {
        var grown = new object?[Math.Max(_items.Length * 2, FirstCapacity)];
        for (var i = 0; i < _count; i++) grown[i] = this[i];
        _items = grown;
        _first = 0;
    }
}
