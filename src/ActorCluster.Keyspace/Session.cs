using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace;

/// <summary>
/// One client's session in a partition: the replies of its sequences that it may still ask for again.
/// Invariant: every stored sequence is in [LowestPending, LowestPending + window).
/// </summary>
public sealed class Session
{
    const int FirstCapacity = 4;

    Slot[] _slots;

    internal Session(ulong id, ulong owner, string label, ulong lastActiveMs, ulong edit)
        : this(id, owner, label, lastActiveMs, edit, new Slot[FirstCapacity])
    {
    }

    Session(ulong id, ulong owner, string label, ulong lastActiveMs, ulong edit, Slot[] slots)
    {
        Id = id;
        Owner = owner;
        Label = label;
        LastActiveMs = lastActiveMs;
        Edit = edit;
        _slots = slots;
    }

    /// <summary>Log index of the entry that opened it.</summary>
    public ulong Id { get; }

    public ulong Owner { get; }

    public string Label { get; }

    /// <summary>The partition's time at its last command, milliseconds since 1970.</summary>
    public ulong LastActiveMs { get; internal set; }

    /// <summary>The client asks for nothing below this again.</summary>
    public ulong LowestPending { get; private set; } = 1;

    /// <summary>How many replies are kept.</summary>
    public int StoredReplies { get; private set; }

    /// <summary>Size of the kept replies, in bytes.</summary>
    public long StoredBytes { get; private set; }

    /// <summary>A session of an older edit belongs to a snapshot and never changes again.</summary>
    internal ulong Edit { get; }

    internal Session Copy(ulong edit) => new(Id, Owner, Label, LastActiveMs, edit, (Slot[])_slots.Clone())
    {
        LowestPending = LowestPending,
        StoredReplies = StoredReplies,
        StoredBytes = StoredBytes,
    };

    internal bool TryGet(ulong sequence, out CommandReply reply, out ulong requestHash)
    {
        ref readonly var slot = ref _slots[IndexOf(sequence)];
        reply = slot.Reply!;
        requestHash = slot.RequestHash;
        return slot.Sequence == sequence && slot.Reply is not null;
    }

    /// <summary>Forgets the replies below; never goes back.</summary>
    internal void Forget(ulong lowestPending)
    {
        if (lowestPending <= LowestPending) return;
        if (lowestPending - LowestPending >= (ulong)_slots.Length)
        {
            for (var i = 0; i < _slots.Length; i++)
                if (_slots[i].Sequence < lowestPending) Clear(ref _slots[i]);
        }
        else
        {
            for (var sequence = LowestPending; sequence < lowestPending; sequence++) Clear(ref _slots[IndexOf(sequence)]);
        }

        LowestPending = lowestPending;
    }

    internal void Store(ulong sequence, CommandReply reply, ulong requestHash)
    {
        Invariant.Check(sequence >= LowestPending, $"session {Id} stores sequence {sequence} below lowest pending {LowestPending}");
        while (sequence - LowestPending >= (ulong)_slots.Length) Grow();
        ref var slot = ref _slots[IndexOf(sequence)];
        Invariant.Check(slot.Reply is null, $"session {Id} stores sequence {sequence} over sequence {slot.Sequence}");
        var bytes = reply.CalculateSize();
        slot = new Slot { Sequence = sequence, Reply = reply, RequestHash = requestHash, Bytes = bytes };
        StoredReplies++;
        StoredBytes += bytes;
    }

    internal SessionState Save()
    {
        var state = new SessionState { SessionId = Id, Owner = Owner, Label = Label, LastActiveMs = LastActiveMs, LowestPending = LowestPending };
        // Slots are a ring: walked from the lowest sequence, the order depends on the state only, not on the ring's size.
        for (var i = 0; i < _slots.Length; i++)
        {
            var slot = _slots[IndexOf(LowestPending + (ulong)i)];
            if (slot.Reply is { } reply)
                state.Replies.Add(new StoredReply { Sequence = slot.Sequence, Reply = reply, RequestHash = slot.RequestHash });
        }

        return state;
    }

    internal static Session Restore(SessionState state, ulong edit)
    {
        var session = new Session(state.SessionId, state.Owner, state.Label, state.LastActiveMs, edit);
        session.Forget(state.LowestPending);
        foreach (var stored in state.Replies)
        {
            if (stored.Sequence < session.LowestPending || stored.Sequence - session.LowestPending >= SessionTable.Window || stored.Reply is null)
                throw new InvalidDataException($"session {session.Id}: stored reply of sequence {stored.Sequence} is outside its window");
            if (session.TryGet(stored.Sequence, out _, out _))
                throw new InvalidDataException($"session {session.Id}: sequence {stored.Sequence} is stored twice");
            session.Store(stored.Sequence, stored.Reply, stored.RequestHash);
        }

        return session;
    }

    int IndexOf(ulong sequence) => (int)(sequence & (ulong)(_slots.Length - 1));

    void Clear(ref Slot slot)
    {
        if (slot.Reply is null) return;
        StoredReplies--;
        StoredBytes -= slot.Bytes;
        slot = default;
    }

    void Grow()
    {
        var old = _slots;
        _slots = new Slot[old.Length * 2];
        foreach (var slot in old)
            if (slot.Reply is not null) _slots[IndexOf(slot.Sequence)] = slot;
    }

    struct Slot
    {
        public ulong Sequence;
        public ulong RequestHash;
        public CommandReply? Reply;
        public int Bytes;
    }
}
