using System.Text.Json;

namespace ActorCluster.Node.Http;

/// <summary>GET /health, /v1/members, /v1/groups and /v1/partitions: what this node knows, without asking anybody.</summary>
sealed class AdminHandler(string self, IAdminQueries admin)
{
    public static bool Serves(ReadOnlySpan<char> path) => path is "/health" or "/v1/members" or "/v1/groups" or "/v1/partitions";

    public ValueTask HandleAsync(HttpContext http, ReadOnlySpan<char> path)
    {
        if (!HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Allow = "GET";
            return JsonResponse.WriteAsync(http, StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", $"{http.Request.Method} is not possible here: use GET");
        }

        return path switch
        {
            "/v1/members" => JsonResponse.WriteAsync(http, StatusCodes.Status200OK, admin.Members()),
            "/v1/groups" => JsonResponse.WriteAsync(http, StatusCodes.Status200OK, admin.Groups()),
            "/v1/partitions" => JsonResponse.WriteAsync(http, StatusCodes.Status200OK, admin.Partitions()),
            _ => WriteHealthAsync(http),
        };
    }

    ValueTask WriteHealthAsync(HttpContext http)
    {
        var members = admin.Members();
        var report = HealthReport.From(self, members, members.Formed ? admin.Partitions() : null);
        var status = report.IsHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return JsonResponse.WriteAsync(http, status, report, static (json, r) => Write(json, r));
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
