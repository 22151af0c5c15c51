namespace Proto.Deterministic.Network;

/// <summary>One direction between two nodes.</summary>
sealed class Link(SeededRandom random)
{
    public SeededRandom Random { get; } = random;

    /// <summary>Since when nothing gets through; null: it does.</summary>
    public TimeSpan? CutSince { get; set; }

    /// <summary>Comes on top of the network's delay.</summary>
    public TimeSpan ExtraDelay { get; set; }

    public bool IsCut => CutSince is not null;
}
