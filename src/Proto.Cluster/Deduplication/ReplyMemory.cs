using Google.Protobuf;

namespace Proto.Cluster;

/// <summary>
/// The requests that one activation has had lately, and its replies. An entry ends with the window, or earlier when there are more than
/// <c>maxRequests</c> (the oldest first). Replies beyond <c>maxReplyBytes</c> are dropped, oldest first, while their requests stay known:
/// those are neither executed again nor answered.
/// </summary>
sealed class ReplyMemory(TimeProvider time, TimeSpan window, int maxRequests, long maxReplyBytes)
{
    /// <summary>What a reply that is no protobuf message counts as.</summary>
    const int UnknownReplyBytes = 1024;

    readonly Dictionary<string, Entry> _byId = new(StringComparer.Ordinal);
    readonly LinkedList<Entry> _byAge = new();
    readonly Queue<Entry> _replies = new();
    long _replyBytes;

    public sealed class Entry(string id, long since)
    {
        public string Id { get; } = id;
        public long Since { get; } = since;

        /// <summary>Who waits for the first reply, beside whoever asked first; the latest repetition only: earlier ones wait no more.</summary>
        public PID? Repeater { get; set; }

        /// <summary>The reply, in its envelope if it has headers; null while there is none, and after it was dropped.</summary>
        public object? Reply { get; set; }

        internal LinkedListNode<Entry>? Place { get; set; }
        internal int ReplyBytes { get; set; }
        internal bool IsReplied { get; set; }
    }

    public int Count => _byId.Count;

    public long ReplyBytes => _replyBytes;

    /// <summary>True for a request that is new, which is remembered from now on.</summary>
    public bool TryBegin(string id, out Entry entry)
    {
        Expire();
        if (_byId.TryGetValue(id, out entry!)) return false;
        if (_byId.Count == maxRequests) Forget(_byAge.First!.Value);
        entry = new Entry(id, time.GetTimestamp());
        _byId.Add(id, entry);
        entry.Place = _byAge.AddLast(entry);
        return true;
    }

    public Entry? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Keeps the first reply; returns who repeated the request meanwhile.</summary>
    public PID? Replied(Entry entry, object reply)
    {
        if (entry.IsReplied) return null;
        entry.IsReplied = true;
        entry.Reply = reply;
        entry.ReplyBytes = MessageEnvelope.UnwrapMessage(reply) is IMessage message ? message.CalculateSize() : UnknownReplyBytes;
        _replyBytes += entry.ReplyBytes;
        _replies.Enqueue(entry);
        while (_replyBytes > maxReplyBytes) DropReply(_replies.Dequeue());
        var repeater = entry.Repeater;
        entry.Repeater = null;
        return repeater;
    }

    /// <summary>The request failed without a reply: its repetition is executed.</summary>
    public void Failed(Entry entry)
    {
        if (!entry.IsReplied) Forget(entry);
    }

    void Expire()
    {
        while (_byAge.First is { } oldest && time.GetElapsedTime(oldest.Value.Since) > window) Forget(oldest.Value);
    }

    void Forget(Entry entry)
    {
        if (!_byId.Remove(entry.Id)) return;
        _byAge.Remove(entry.Place!);
        DropReply(entry);
        while (_replies.TryPeek(out var next) && next.Reply is null) _replies.Dequeue();
    }

    void DropReply(Entry entry)
    {
        entry.Reply = null;
        _replyBytes -= entry.ReplyBytes;
        entry.ReplyBytes = 0;
    }
}
