using System.Globalization;

namespace ActorCluster.Grains;

/// <summary>
/// Orders the activations of one identity (architecture, section 8): compared field by field, never falls. A commit under
/// an epoch below the stored one is refused, so a superseded activation can change nothing.
/// Text form: <c>{generation}.{term}.{activation}</c>.
/// </summary>
/// <param name="Generation">Of the partition: rises with every split, merge, move and change of placement.</param>
/// <param name="Term">Of the partition's leader.</param>
/// <param name="Activation">Counts activations under one leader.</param>
public readonly record struct Epoch(uint Generation, ulong Term, ulong Activation) : IComparable<Epoch>
{
    /// <summary>Below every epoch of an activation.</summary>
    public static readonly Epoch None;

    public static Epoch From(Protocol.Grains.Epoch? message) => message is null ? None : new(message.Generation, message.Term, message.Activation);

    public Protocol.Grains.Epoch ToMessage() => new() { Generation = Generation, Term = Term, Activation = Activation };

    public int CompareTo(Epoch other)
    {
        var order = Generation.CompareTo(other.Generation);
        if (order == 0) order = Term.CompareTo(other.Term);
        return order != 0 ? order : Activation.CompareTo(other.Activation);
    }

    public static bool operator <(Epoch left, Epoch right) => left.CompareTo(right) < 0;

    public static bool operator >(Epoch left, Epoch right) => left.CompareTo(right) > 0;

    public static bool operator <=(Epoch left, Epoch right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Epoch left, Epoch right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Generation}.{Term}.{Activation}");

    public static bool TryParse(ReadOnlySpan<char> text, out Epoch epoch)
    {
        epoch = default;
        var first = text.IndexOf('.');
        if (first < 0) return false;
        var rest = text[(first + 1)..];
        var second = rest.IndexOf('.');
        if (second < 0) return false;
        const NumberStyles digits = NumberStyles.None;
        var culture = CultureInfo.InvariantCulture;
        if (!uint.TryParse(text[..first], digits, culture, out var generation)
            || !ulong.TryParse(rest[..second], digits, culture, out var term)
            || !ulong.TryParse(rest[(second + 1)..], digits, culture, out var activation)) return false;
        epoch = new Epoch(generation, term, activation);
        return true;
    }
}
