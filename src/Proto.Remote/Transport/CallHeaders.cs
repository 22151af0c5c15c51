using System.Net.Http.Headers;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Proto.Remote.Transport;

/// <summary>The application's headers of a call on their way (PROTOCOL-HTTP2.md, Custom-Metadata): bytes travel as base64.</summary>
static class CallHeaders
{
    /// <summary>Headers that are the transport's own.</summary>
    static readonly string[] Reserved = ["content-type", "te", "host", "connection", "transfer-encoding", "upgrade", "content-length", "user-agent"];

    public static bool IsTransport(string key) =>
        key.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) || key.StartsWith(':') || Reserved.Contains(key, StringComparer.OrdinalIgnoreCase);

    public static void Write(Metadata? headers, HttpRequestHeaders request)
    {
        foreach (var header in headers ?? Metadata.Empty)
            request.TryAddWithoutValidation(header.Key, header.IsBinary ? Convert.ToBase64String(header.ValueBytes) : header.Value);
    }

    /// <exception cref="GrpcException">A binary header is not base64, or a header cannot be one of gRPC's.</exception>
    public static Metadata Read(IHeaderDictionary request)
    {
        Metadata? headers = null;
        foreach (var (key, values) in request)
        {
            if (IsTransport(key)) continue;
            foreach (var value in values) Add(headers ??= [], key, value ?? "");
        }

        return headers ?? Metadata.Empty;
    }

    static void Add(Metadata headers, string key, string value)
    {
        try
        {
            if (key.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase)) headers.Add(key, FromBase64(value));
            else headers.Add(key, value);
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"the header '{key}' is malformed", wrong);
        }
    }

    // Senders may leave the padding out.
    static byte[] FromBase64(string value) => Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '='));
}
