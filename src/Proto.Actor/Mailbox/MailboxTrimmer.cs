namespace Proto.Mailbox;

/// <summary>
/// Lets mailboxes that were used give their memory back once they are idle, after each full garbage collection: that is when memory counts. Not
/// at the end of every turn: an actor that gets one burst after the other would make a new ring for each. Works apart, on the thread pool.
/// </summary>
internal sealed class MailboxTrimmer : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private List<IEngineMailbox> _waiting = [];

    /// <summary>Trims the mailbox if it is idle after the next full collection, and otherwise after the one that follows. It must not be waiting already.</summary>
    public void Add(IEngineMailbox mailbox)
    {
        lock (_gate)
        {
            _waiting.Add(mailbox);
            if (_waiting.Count == 1) _ = new FullCollection(this);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        List<IEngineMailbox> due;
        lock (_gate)
        {
            due = _waiting;
            _waiting = [];
        }

        foreach (var mailbox in due)
        {
            if (!mailbox.TryTrim()) Add(mailbox);
        }
    }

    /// <summary>Nobody refers to it, so the collector finalizes it: again and again, until a collection was a full one.</summary>
    private sealed class FullCollection(MailboxTrimmer trimmer)
    {
        private readonly int _before = GC.CollectionCount(GC.MaxGeneration);

        ~FullCollection()
        {
            if (GC.CollectionCount(GC.MaxGeneration) == _before) GC.ReRegisterForFinalize(this);
            else ThreadPool.UnsafeQueueUserWorkItem(trimmer, preferLocal: false);
        }
    }
}
