namespace Proto.Deterministic;

/// <summary>FNV-1a, 64 bits: the same in every OS process, unlike <see cref="string.GetHashCode()"/>.</summary>
static class StableHash
{
    public const ulong Start = 14695981039346656037;

    const ulong Prime = 1099511628211;

    public static ulong Of(string text) => Add(Start, text);

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = Start;
        foreach (var b in bytes) hash = (hash ^ b) * Prime;
        return hash;
    }

    public static ulong Add(ulong hash, string text)
    {
        foreach (var unit in text) hash = (hash ^ unit) * Prime;
        return (hash ^ 0xffff_ffff) * Prime; // an end that no text contains
    }

    public static ulong Add(ulong hash, ulong value)
    {
        // A multiplication reaches only higher bits; the rotation brings them back down.
        hash = (hash ^ value) * Prime;
        return ulong.RotateLeft(hash, 29) * Prime;
    }
}
