using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace ActorCluster;

/// <summary>A place to listen at or to call: a host name or an IP address, and a TCP port (<c>host:port</c>, <c>[v6]:port</c>).</summary>
public readonly record struct HostPort(string Host, int Port)
{
    const int LongestHostName = 253; // RFC 1035, section 2.3.4, without the root's dot

    /// <summary>True for 0.0.0.0, [::] and *: an address that nobody else can call.</summary>
    public bool IsAnyAddress => Host is "*" or "+" || (IPAddress.TryParse(Host, out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)));

    public static bool TryParse([NotNullWhen(true)] string? text, out HostPort result)
    {
        result = default;
        if (string.IsNullOrEmpty(text)) return false;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || colon == text.Length - 1) return false;
        var host = text[..colon];
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        if (host[0] == '[')
        {
            if (host[^1] != ']' || !IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var v6)) return false;
            host = v6.ToString();
        }
        else if (host is not ("*" or "+") && !IsHostName(host))
        {
            return false;
        }

        result = new HostPort(host, port);
        return true;
    }

    /// <exception cref="FormatException">Not host:port.</exception>
    public static HostPort Parse(string text) =>
        TryParse(text, out var result) ? result : throw new FormatException($"\"{text}\" is not host:port");

    public override string ToString() =>
        Host.Contains(':') ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}") : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    static bool IsHostName(string host)
    {
        if (host.Length > LongestHostName) return false;
        foreach (var c in host)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')) return false;
        }

        return true;
    }
}
