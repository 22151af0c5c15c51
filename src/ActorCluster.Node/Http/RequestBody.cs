using System.Buffers;
using System.Text.Json;
using ActorCluster.Protocol;
using Google.Protobuf;

namespace ActorCluster.Node.Http;

/// <summary>Reads a value from a request's body, and refuses one that is too large before reading all of it.</summary>
static class RequestBody
{
    const int JsonDepth = 64;

    /// <summary>The value, or why there is none.</summary>
    public static async ValueTask<(ByteString Value, Failure? Problem)> ReadAsync(HttpContext http, CancellationToken ct)
    {
        var length = http.Request.ContentLength;
        if (length > Limits.MaxValueBytes) return (ByteString.Empty, TooLarge());
        if (length == 0) return Check(http, []);

        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var buffer = read.Buffer;
            if (buffer.Length > Limits.MaxValueBytes)
            {
                reader.AdvanceTo(buffer.Start, buffer.Start);
                return (ByteString.Empty, TooLarge());
            }

            if (read.IsCompleted)
            {
                var value = buffer.ToArray();
                reader.AdvanceTo(buffer.End);
                return Check(http, value);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    // The array is ours alone and is never written again, so it may be wrapped without a copy.
    static (ByteString Value, Failure? Problem) Check(HttpContext http, byte[] value) =>
        IsJson(http.Request.ContentType) && MalformedJson(value) is { } problem
            ? (ByteString.Empty, problem)
            : (UnsafeByteOperations.UnsafeWrap(value), null);

    static bool IsJson(string? contentType) =>
        contentType is not null
        && contentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == 16 || contentType[16] is ';' or ' ');

    static Failure? MalformedJson(byte[] value)
    {
        try
        {
            var json = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = JsonDepth });
            while (json.Read()) json.TrySkip();
            return null;
        }
        catch (JsonException e)
        {
            return new Failure { Outcome = OutcomeKind.NotExecuted, Code = ErrorCode.MalformedJson, Message = "the body is said to be application/json but is not: " + e.Message };
        }
    }

    static Failure TooLarge() => new()
    {
        Outcome = OutcomeKind.NotExecuted,
        Code = ErrorCode.ValueTooLarge,
        Message = $"value is larger than {Limits.MaxValueBytes} bytes",
    };
}
