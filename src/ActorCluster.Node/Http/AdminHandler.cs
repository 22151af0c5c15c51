using System.Text.Json;
using ActorCluster.Protocol;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Node.Http;

/// <summary>GET /health, /v1/members, /v1/groups and /v1/partitions.</summary>
sealed class AdminHandler(string self, IAdminQueries admin, Deadlines deadlines)
{
    public static bool Serves(ReadOnlySpan<char> path) => path is "/health" or "/v1/members" or "/v1/groups" or "/v1/partitions";

    public async ValueTask HandleAsync(HttpContext http, string path)
    {
        if (!HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Allow = "GET";
            await JsonResponse.WriteAsync(http, StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", $"{http.Request.Method} is not possible here: use GET");
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
            switch (path)
            {
                case "/v1/members": await JsonResponse.WriteAsync(http, StatusCodes.Status200OK, await admin.MembersAsync(deadline)); break;
                case "/v1/groups": await JsonResponse.WriteAsync(http, StatusCodes.Status200OK, await admin.GroupsAsync(deadline)); break;
                case "/v1/partitions": await JsonResponse.WriteAsync(http, StatusCodes.Status200OK, await admin.PartitionsAsync(deadline)); break;
                default: await WriteHealthAsync(http, deadline); break;
            }
        }
        catch (DeadLetterException) when (!http.Response.HasStarted)
        {
            await JsonResponse.WriteAsync(http, new Failure
            {
                Outcome = OutcomeKind.NotExecuted,
                Code = ErrorCode.NodeStopping,
                Message = "this node is starting or stopping",
            });
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException && !http.Response.HasStarted)
        {
            await JsonResponse.WriteAsync(http, new Failure
            {
                Outcome = OutcomeKind.NotExecuted,
                Code = ErrorCode.DeadlineExceeded,
                Message = $"this node's admin actor did not answer within {timeout.TotalMilliseconds:0} ms",
            });
        }
    }

    async ValueTask WriteHealthAsync(HttpContext http, CancellationToken ct)
    {
        var members = await admin.MembersAsync(ct);
        var partitions = members.Formed ? await admin.PartitionsAsync(ct) : null;
        var report = HealthReport.From(self, members, partitions);
        var status = report.IsHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await JsonResponse.WriteAsync(http, status, report, static (json, r) => Write(json, r));
    }

    static void Write(Utf8JsonWriter json, HealthReport report)
    {
        json.WriteStartObject();
        json.WriteString("status"u8, report.IsHealthy ? "Healthy"u8 : "Unhealthy"u8);
        json.WriteString("node"u8, report.Node);
        json.WriteString("state"u8, report.State);
        json.WriteBoolean("formed"u8, report.Formed);
        Write(json, "waitingFor", report.WaitingFor);
        Write(json, "reasons", report.Reasons);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
