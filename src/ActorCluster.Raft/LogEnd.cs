namespace ActorCluster.Raft;

/// <summary>
/// Where a log ends. Ordered by term first, then by index (paper, section 5.4.1); field by field it would be no order at
/// all (faults B3).
/// </summary>
public readonly record struct LogEnd(ulong Term, ulong Index) : IComparable<LogEnd>
{
    public int CompareTo(LogEnd other) => Term != other.Term ? Term.CompareTo(other.Term) : Index.CompareTo(other.Index);

    /// <summary>Whether a log that ends here may lead one that ends at <paramref name="other"/>.</summary>
    public bool IsAtLeast(LogEnd other) => CompareTo(other) >= 0;

    public override string ToString() => $"{Term}/{Index}";
}
