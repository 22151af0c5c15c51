using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ActorCluster.Protocol;
using Google.Protobuf;

namespace ActorCluster.Node.Http;

/// <summary>Writes small JSON answers without garbage: one buffer and one writer per thread, a known length, one write.</summary>
static class JsonResponse
{
    const int KeptBufferBytes = 64 * 1024;

    // application/json is no HTML: quotes and other letters need no \u escapes to be read by people.
    static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic] static ArrayBufferWriter<byte>? _buffer;
    [ThreadStatic] static Utf8JsonWriter? _json;

    public static ValueTask WriteAsync<T>(HttpContext http, int status, T value, Action<Utf8JsonWriter, T> write)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(512);
        buffer.ResetWrittenCount();
        var json = _json ??= new Utf8JsonWriter(buffer, Readable);
        json.Reset(buffer);
        write(json, value);
        json.Flush();

        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;
        var flush = response.BodyWriter.WriteAsync(buffer.WrittenMemory); // has copied when it returns: the buffer is free again
        if (buffer.Capacity > KeptBufferBytes) _buffer = null;
        return flush.IsCompletedSuccessfully ? ValueTask.CompletedTask : Awaited(flush);

        static async ValueTask Awaited(ValueTask<System.IO.Pipelines.FlushResult> flush) => await flush;
    }

    public static ValueTask WriteAsync(HttpContext http, int status, IMessage message) =>
        WriteAsync(http, status, message, static (json, m) => ProtobufJson.Write(json, m));

    public static ValueTask WriteAsync(HttpContext http, Failure failure) =>
        WriteAsync(http, HttpErrors.StatusOf(failure), failure, static (json, f) => WriteError(json, f.Code.ToString(), f.Message, f.Outcome));

    public static ValueTask WriteAsync(HttpContext http, int status, string code, string message) =>
        WriteAsync(http, status, (code, message), static (json, e) => WriteError(json, e.code, e.message, OutcomeKind.NotExecuted));

    static void WriteError(Utf8JsonWriter json, string code, string message, OutcomeKind outcome)
    {
        json.WriteStartObject();
        json.WriteString("code"u8, code);
        json.WriteString("message"u8, message);
        json.WriteString("outcome"u8, outcome switch
        {
            OutcomeKind.Unknown => "Unknown"u8,
            OutcomeKind.Result => "Result"u8,
            _ => "NotExecuted"u8,
        });
        json.WriteBoolean("retrySafe"u8, HttpErrors.RetrySafe(outcome));
        json.WriteEndObject();
    }
}
