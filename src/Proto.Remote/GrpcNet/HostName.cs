using System.Net;
using System.Net.Sockets;

namespace Proto.Remote.GrpcNet;

/// <summary>Hosts as configurations name them.</summary>
static class HostName
{
    /// <summary>The host as it stands before <c>:port</c>: IPv6 addresses in brackets.</summary>
    public static string InAddress(string host) =>
        !host.StartsWith('[') && IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host;

    /// <summary>All interfaces: one can listen there, and nobody can call it.</summary>
    public static bool IsWildcard(string host) =>
        IPAddress.TryParse(host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
}
