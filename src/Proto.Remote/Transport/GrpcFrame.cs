using System.Buffers.Binary;

namespace Proto.Remote.Transport;

/// <summary>
/// gRPC's length-prefixed message (PROTOCOL-HTTP2.md, Length-Prefixed-Message): one byte "compressed" (always 0 here),
/// four bytes length, big endian, then the message.
/// </summary>
public static class GrpcFrame
{
    public const int PrefixLength = 5;
    public const string ContentType = "application/grpc";

    /// <summary><c>application/grpc</c>, with or without the name of an encoding (<c>+proto</c>): gRPC-Web is another protocol.</summary>
    public static bool IsContentType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');

    public static void WritePrefix(Span<byte> destination, int messageLength)
    {
        destination[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)messageLength);
    }

    public static byte[] Wrap(ReadOnlySpan<byte> message)
    {
        var frame = new byte[PrefixLength + message.Length];
        WritePrefix(frame, message.Length);
        message.CopyTo(frame.AsSpan(PrefixLength));
        return frame;
    }
}
