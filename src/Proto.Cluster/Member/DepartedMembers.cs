namespace Proto.Cluster;

/// <summary>
/// Members that will not come back: an id is given to one run of one process. Keeps the last <see cref="MaxEntries"/>, so that a
/// late word about them does not bring them back.
/// </summary>
sealed class DepartedMembers
{
    public const int MaxEntries = 4096;

    readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    readonly Queue<string> _order = new();

    /// <summary>In the order in which they departed.</summary>
    public IReadOnlyCollection<string> Ids => _order;

    public bool Contains(string memberId) => _ids.Contains(memberId);

    /// <summary>False when it was known already.</summary>
    public bool Add(string memberId)
    {
        if (!_ids.Add(memberId)) return false;
        _order.Enqueue(memberId);
        if (_order.Count > MaxEntries) _ids.Remove(_order.Dequeue());
        return true;
    }
}
