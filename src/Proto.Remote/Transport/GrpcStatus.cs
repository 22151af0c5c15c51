using System.Globalization;
using System.Text;

namespace Proto.Remote.Transport;

/// <summary>The status codes of gRPC that this transport speaks (grpc/doc/statuscodes.md).</summary>
public enum GrpcStatusCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// <summary>The outcome of a call as its trailers carry it.</summary>
public readonly record struct GrpcStatus(GrpcStatusCode Code, string Message)
{
    public static readonly GrpcStatus Ok = new(GrpcStatusCode.Ok, "");

    public override string ToString() => Message.Length == 0 ? Code.ToString() : $"{Code}: {Message}";

    /// <summary>The value of <c>grpc-message</c>: percent-encoded UTF-8, as PROTOCOL-HTTP2.md demands.</summary>
    internal static string EncodeMessage(string message)
    {
        var encoded = new StringBuilder(message.Length);
        foreach (var b in Encoding.UTF8.GetBytes(message))
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%') encoded.Append((char)b);
            else encoded.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }

    internal static string DecodeMessage(string encoded) => Uri.UnescapeDataString(encoded);
}

/// <summary>A call that ended, or must end, with a status other than OK.</summary>
public sealed class GrpcException(GrpcStatus status, Exception? cause = null) : Exception(status.ToString(), cause)
{
    public GrpcException(GrpcStatusCode code, string message, Exception? cause = null) : this(new GrpcStatus(code, message), cause) { }

    public GrpcStatus Status { get; } = status;
}
