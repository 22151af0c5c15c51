using System.Diagnostics.CodeAnalysis;

namespace ActorCluster.Grains;

/// <summary>How a resolution ended.</summary>
public enum ResolveStatus
{
    /// <summary>The path may be sent to.</summary>
    Ready,

    /// <summary>The node at that authority is Unreachable, Removed, or nobody's: nothing is to be sent.</summary>
    Unreachable,

    /// <summary>The authority is in quarantine: nothing is to be sent until it ends.</summary>
    Quarantined,

    /// <summary>The text is not a PID.</summary>
    InvalidFormat,

    /// <summary>Nothing is known of the identity (or no longer): look it up.</summary>
    NotFound,
}

/// <summary>The canonical path of an actor: Proto.Actor's text form of a PID, <c>{host}:{port}/{id}</c>.</summary>
/// <param name="Authority">host:port of the node's cluster endpoint.</param>
/// <param name="Id">The PID's id.</param>
public sealed record ActorPath(string Authority, string Id)
{
    public override string ToString() => $"{Authority}/{Id}";

    /// <summary>Reads <c>{host}:{port}/{id}</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="path">What it names.</param>
    /// <param name="error">Otherwise, what is wrong with it.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out ActorPath? path, [NotNullWhen(false)] out string? error)
    {
        path = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? text : text[..slash];
        var colon = authority.LastIndexOf(':');
        if (slash < 0) error = $"'{text}' has no '/' between address and id";
        else if (slash + 1 == text.Length) error = $"'{text}' has an empty id";
        else if (colon <= 0) error = $"'{authority}' is not host:port";
        else if (!ushort.TryParse(authority.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port) || port == 0)
            error = $"'{authority[(colon + 1)..]}' is not a port";
        else
        {
            error = null;
            path = new ActorPath(authority, text[(slash + 1)..]);
        }

        return error is null;
    }
}

/// <summary>The end of a resolution.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Path">Where to send, when Ready.</param>
/// <param name="Epoch">Of the activation, when Ready and known.</param>
/// <param name="Reason">Why, otherwise; for people.</param>
/// <param name="MembershipVersion">The membership on which the answer rests: always the newest seen.</param>
public sealed record ResolveResult(ResolveStatus Status, ActorPath? Path, Epoch Epoch, string Reason, ulong MembershipVersion)
{
    public bool IsReady => Status == ResolveStatus.Ready;
}

/// <summary>What happened to an entry or an authority of an <see cref="IdentityTable"/>.</summary>
public enum IdentityEventKind
{
    /// <summary>A place became known.</summary>
    Learned,

    /// <summary>A newer epoch replaced the known one.</summary>
    Moved,

    /// <summary>The node left, became Unreachable, or has another incarnation.</summary>
    Invalidated,

    /// <summary>The target refused the epoch.</summary>
    Refused,

    /// <summary>Dropped for room or for age.</summary>
    Evicted,

    /// <summary>An authority was put in quarantine.</summary>
    Quarantined,

    /// <summary>An authority's quarantine ended.</summary>
    QuarantineEnded,
}

/// <summary>An event of an <see cref="IdentityTable"/>.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Subject"><c>{kind}/{identity}</c>, or the authority.</param>
/// <param name="Path">Where the identity was or is.</param>
/// <param name="Reason">For people.</param>
/// <param name="AtMs">When, in the time that the table was given.</param>
public sealed record IdentityEvent(IdentityEventKind Kind, string Subject, ActorPath? Path, string Reason, long AtMs);
