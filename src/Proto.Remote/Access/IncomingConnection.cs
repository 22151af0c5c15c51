using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;

namespace Proto.Remote;

/// <summary>A stream that another system opens here.</summary>
/// <param name="SystemId">The id that it gives itself: a claim.</param>
/// <param name="MemberAddress">Where it says it listens, when it connects as a member: a claim. Null for a client.</param>
/// <param name="Caller">Where the connection comes from; null when the transport does not know.</param>
/// <param name="Certificate">Its certificate, checked by TLS; null without mutual TLS.</param>
/// <param name="Headers">The call's headers, without those of the transport.</param>
public sealed record IncomingConnection(string SystemId, string? MemberAddress, EndPoint? Caller, X509Certificate2? Certificate, Metadata Headers)
{
    public bool IsClient => MemberAddress is null;
}
