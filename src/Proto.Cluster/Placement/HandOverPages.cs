namespace Proto.Cluster.Placement;

/// <summary>The answering side of a hand-over: what this member holds of others' identities in one topology.</summary>
sealed class HandOverPages(PlacementView view, int pageSize)
{
    static readonly List<Activation> Nothing = [];

    readonly Dictionary<string, List<Activation>> _byOwner = new(StringComparer.Ordinal);

    /// <summary>Notes an activation under its owner.</summary>
    public void Add(string ownerId, Activation activation)
    {
        if (!_byOwner.TryGetValue(ownerId, out var held)) _byOwner[ownerId] = held = [];
        held.Add(activation);
    }

    /// <summary>Notes what an owner's activations are now, in place of what was noted under it.</summary>
    public void Replace(string ownerId, IEnumerable<Activation> held) => _byOwner[ownerId] = [.. held];

    /// <summary>The answer to one question; it names nothing when the question is of another topology.</summary>
    /// <param name="request">The question.</param>
    /// <param name="isHeld">Whether a noted activation is still there.</param>
    public HandOverReport Report(HandOverRequest request, Func<Activation, bool> isHeld)
    {
        var report = new HandOverReport { TopologyHash = view.Hash };
        if (request.TopologyHash != view.Hash) return report;

        var held = _byOwner.GetValueOrDefault(request.RequesterId, Nothing);
        // Only with the first page: the offsets of one answer must stay what they were.
        if (request.Offset == 0) held.RemoveAll(activation => !isHeld(activation));
        report.Total = held.Count;
        report.Held.AddRange(held.Skip(request.Offset).Take(pageSize));
        return report;
    }
}
