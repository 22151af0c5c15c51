using System.Diagnostics.CodeAnalysis;

namespace ActorCluster.Grains;

/// <summary>
/// The id of an activation's PID: <c>{kind}/{identity}@{epoch}</c>. The kind has no '/', the identity may hold anything
/// (also '/' and '@'), the epoch is what follows the last '@'.
/// </summary>
public sealed record GrainAddress(string Kind, string Identity, Epoch Epoch)
{
    /// <summary>The PID's id.</summary>
    public string Id => $"{Kind}/{Identity}@{Epoch}";

    public override string ToString() => Id;

    /// <summary>Reads a PID's id.</summary>
    /// <param name="id">The id.</param>
    /// <param name="address">What it names.</param>
    /// <param name="error">Otherwise, what is wrong with it.</param>
    public static bool TryParse(string id, [NotNullWhen(true)] out GrainAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        var at = id.LastIndexOf('@');
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        if (at < 0) error = $"'{id}' has no '@' before an epoch";
        else if (slash < 0 || slash > at) error = $"'{id}' has no '/' between kind and identity";
        else if (slash == 0) error = $"'{id}' has an empty kind";
        else if (slash + 1 == at) error = $"'{id}' has an empty identity";
        else if (!Epoch.TryParse(id.AsSpan(at + 1), out var epoch)) error = $"'{id[(at + 1)..]}' is not an epoch (generation.term.activation)";
        else
        {
            error = null;
            address = new GrainAddress(id[..slash], id[(slash + 1)..at], epoch);
        }

        return error is null;
    }

    /// <summary>What is wrong with a kind's name, or null.</summary>
    public static string? CheckKind(string kind) =>
        kind.Length is 0 or > 64 ? "kind must have 1 to 64 characters"
        : kind.AsSpan().ContainsAny('/', '@', '$') ? $"kind '{kind}' must not hold '/', '@' or '$'"
        : null;
}
