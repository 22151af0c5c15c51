using System.Globalization;
using System.Text.Json;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Node.Http;

/// <summary>PUT, GET and DELETE of /v1/kv/{key}.</summary>
sealed class KvHandler(IKvOperations kv, Deadlines deadlines)
{
    public async ValueTask HandleAsync(HttpContext http, string key)
    {
        var method = http.Request.Method;
        var isPut = HttpMethods.IsPut(method);
        var isDelete = HttpMethods.IsDelete(method);
        if (!isPut && !isDelete && !HttpMethods.IsGet(method))
        {
            http.Response.Headers.Allow = "GET, PUT, DELETE";
            await JsonResponse.WriteAsync(http, StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", $"{method} is not possible here: use GET, PUT or DELETE");
            return;
        }

        if (deadlines.TryRead(http, out var timeout) is { } wrong)
        {
            await JsonResponse.WriteAsync(http, wrong);
            return;
        }

        var deadline = deadlines.After(timeout);
        try
        {
            var request = new KvRequest { DeadlineUnixMs = deadlines.UnixMs(timeout) };
            if (isPut)
            {
                var (value, problem) = await RequestBody.ReadAsync(http, deadline);
                if (problem is not null)
                {
                    await JsonResponse.WriteAsync(http, problem);
                    return;
                }

                request.Put = new KvPut { Key = key, Value = value };
            }
            else if (isDelete)
            {
                request.Delete = new KvDelete { Key = key };
            }
            else
            {
                request.Get = new KvGet { Key = key };
            }

            var reply = await ExecuteAsync(key, request, deadline);
            await WriteAsync(http, key, request.OpCase, reply);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !http.Response.HasStarted)
        {
            // Only reading the body ends here: nothing was sent on.
            await JsonResponse.WriteAsync(http, new Failure
            {
                Outcome = OutcomeKind.NotExecuted,
                Code = ErrorCode.DeadlineExceeded,
                Message = $"the body did not arrive within {timeout.TotalMilliseconds:0} ms",
            });
        }
    }

    async ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken deadline)
    {
        try
        {
            return await kv.ExecuteAsync(key, request, deadline);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            // A read has no effect; a write that was handed over may still be committed.
            var isRead = request.OpCase == KvRequest.OpOneofCase.Get;
            return new KvReply
            {
                Failure = new Failure
                {
                    Outcome = isRead ? OutcomeKind.NotExecuted : OutcomeKind.Unknown,
                    Code = ErrorCode.DeadlineExceeded,
                    Message = isRead ? "no answer before the deadline" : "no answer before the deadline: the write may or may not have happened",
                },
            };
        }
    }

    static ValueTask WriteAsync(HttpContext http, string key, KvRequest.OpOneofCase op, KvReply reply)
    {
        if (reply.Failure is { } failure) return JsonResponse.WriteAsync(http, failure);
        switch (op)
        {
            case KvRequest.OpOneofCase.Get: return WriteValueAsync(http, key, reply);
            case KvRequest.OpOneofCase.Delete:
                return JsonResponse.WriteAsync(http, StatusCodes.Status200OK, (key, reply), static (json, r) => WriteChange(json, r.key, r.reply, isDelete: true));
            default:
                return JsonResponse.WriteAsync(http, StatusCodes.Status200OK, (key, reply), static (json, r) => WriteChange(json, r.key, r.reply, isDelete: false));
        }
    }

    static void WriteChange(Utf8JsonWriter json, string key, KvReply reply, bool isDelete)
    {
        json.WriteStartObject();
        json.WriteString("key"u8, key);
        json.WriteNumber("partition"u8, reply.Partition);
        json.WriteNumber("version"u8, reply.Version);
        if (isDelete) json.WriteBoolean("existed"u8, reply.Found);
        json.WriteEndObject();
    }

    static async ValueTask WriteValueAsync(HttpContext http, string key, KvReply reply)
    {
        var response = http.Response;
        response.Headers["X-Partition"] = reply.Partition.ToString(CultureInfo.InvariantCulture);
        if (!reply.Found)
        {
            await JsonResponse.WriteAsync(http, new Failure { Outcome = OutcomeKind.Result, Code = ErrorCode.NotFound, Message = $"no key \"{key}\"" });
            return;
        }

        response.Headers["X-Version"] = reply.Version.ToString(CultureInfo.InvariantCulture);
        response.ContentType = "application/octet-stream";
        response.ContentLength = reply.Value.Length;
        await response.BodyWriter.WriteAsync(reply.Value.Memory);
    }
}
