using System.Buffers;
using System.Text;
using System.Text.Unicode;
using ActorCluster.Protocol;

namespace ActorCluster.Node.Http;

/// <summary>
/// Reads a key from a request target. The raw target is read, not a framework's decoded path: only so can a key hold
/// any UTF-8, slashes and dots included, as it is or percent-encoded (RFC 3986, section 2.1).
/// </summary>
public static class KvPath
{
    public const string Prefix = "/v1/kv/";

    /// <summary>The path of a request target: without scheme and authority (RFC 9112, section 3.2.2) and without the query.</summary>
    public static ReadOnlySpan<char> PathOf(string rawTarget)
    {
        var target = rawTarget.AsSpan();
        if (target.Length > 0 && target[0] != '/')
        {
            var authority = target.IndexOf("://");
            if (authority < 0) return target;
            target = target[(authority + 3)..];
            var slash = target.IndexOf('/');
            target = slash < 0 ? "/" : target[slash..];
        }

        var query = target.IndexOf('?');
        return query < 0 ? target : target[..query];
    }

    /// <summary>Decodes a key; the problem is null when there is one.</summary>
    public static Failure? TryDecode(ReadOnlySpan<char> encoded, out string key)
    {
        key = "";
        if (encoded.IsEmpty) return Bad(ErrorCode.InvalidArgument, "key is empty: PUT, GET and DELETE need /v1/kv/{key}");
        if (encoded.Length > 3 * Limits.MaxKeyBytes) return TooLong();

        // Most keys need no decoding: plain ASCII, no percent sign.
        if (!encoded.Contains('%') && Ascii.IsValid(encoded))
        {
            if (encoded.Length > Limits.MaxKeyBytes) return TooLong();
            key = encoded.ToString();
            return null;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(encoded.Length));
        try
        {
            var length = Decode(encoded, bytes);
            if (length < 0) return Bad(ErrorCode.InvalidArgument, "key is not percent-encoded correctly: % must be followed by two hexadecimal digits");
            if (length > Limits.MaxKeyBytes) return TooLong();
            if (!Utf8.IsValid(bytes.AsSpan(0, length))) return Bad(ErrorCode.InvalidArgument, "key is not UTF-8");
            key = Encoding.UTF8.GetString(bytes, 0, length);
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    static int Decode(ReadOnlySpan<char> encoded, Span<byte> bytes)
    {
        var length = 0;
        while (!encoded.IsEmpty)
        {
            var percent = encoded.IndexOf('%');
            var plain = percent < 0 ? encoded : encoded[..percent];
            length += Encoding.UTF8.GetBytes(plain, bytes[length..]);
            if (percent < 0) break;
            encoded = encoded[percent..];
            if (encoded.Length < 3 || Convert.FromHexString(encoded.Slice(1, 2), bytes[length..], out _, out var written) != OperationStatus.Done || written != 1)
                return -1;
            length++;
            encoded = encoded[3..];
        }

        return length;
    }

    static Failure TooLong() => Bad(ErrorCode.KeyTooLong, $"key is longer than {Limits.MaxKeyBytes} bytes of UTF-8");

    static Failure Bad(ErrorCode code, string message) => new() { Outcome = OutcomeKind.NotExecuted, Code = code, Message = message };
}
