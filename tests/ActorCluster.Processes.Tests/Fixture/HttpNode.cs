using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ActorCluster.Simulation.Histories;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>One node's HTTP API, as a client sees it.</summary>
sealed class HttpNode : IDisposable
{
    public const int DefaultDeadlineMs = 5000;

    /// <summary>A node answers within the deadline, give or take the machine; beyond this it hangs, which is a failure.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    readonly HttpClient _http;

    public HttpNode(int port) => _http = new HttpClient(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        UseProxy = false,
    })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public Task<Answer> PutAsync(string key, string value, int deadlineMs = DefaultDeadlineMs) =>
        SendAsync(HttpMethod.Put, KeyPath(key), new ByteArrayContent(Encoding.UTF8.GetBytes(value)), deadlineMs);

    public Task<Answer> PutAsync(string key, HttpContent content, int deadlineMs = DefaultDeadlineMs) =>
        SendAsync(HttpMethod.Put, KeyPath(key), content, deadlineMs);

    public Task<Answer> GetAsync(string key, int deadlineMs = DefaultDeadlineMs) => SendAsync(HttpMethod.Get, KeyPath(key), null, deadlineMs);

    /// <summary>
    /// With an empty body: without one HttpClient sends a request again by itself when a pooled connection ends unanswered,
    /// and a delete that was carried out before the node died would be reported as refused, or be carried out twice.
    /// </summary>
    public Task<Answer> DeleteAsync(string key, int deadlineMs = DefaultDeadlineMs) =>
        SendAsync(HttpMethod.Delete, KeyPath(key), new ByteArrayContent([]), deadlineMs);

    public Task<Answer> HealthAsync() => SendAsync(HttpMethod.Get, "/health", null, DefaultDeadlineMs);

    public async Task<MembersView?> MembersAsync() => MembersView.From(await SendAsync(HttpMethod.Get, "/v1/members", null, DefaultDeadlineMs));

    /// <summary>The groups as this node sees them; null when it does not answer.</summary>
    public async Task<IReadOnlyList<PartitionReplicas>?> PartitionsAsync() => PartitionReplicas.From(await SendAsync(HttpMethod.Get, "/v1/partitions", null, DefaultDeadlineMs));

    public async Task<IReadOnlyList<GroupView>?> GroupsAsync() => GroupView.From(await SendAsync(HttpMethod.Get, "/v1/groups", null, DefaultDeadlineMs));

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content, int deadlineMs, string? deadlineHeader = null)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(deadlineMs) + Grace);
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Add("X-Deadline-Ms", deadlineHeader ?? $"{deadlineMs}");
        try
        {
            using var response = await _http.SendAsync(request, timeout.Token);
            return Answer.From(method, response.StatusCode, await response.Content.ReadAsStringAsync(timeout.Token), response.Content.Headers.ContentType);
        }
        catch (HttpRequestException e)
        {
            // Nobody listens: nothing was sent. A connection that broke later may have carried the request.
            var outcome = e.HttpRequestError == HttpRequestError.ConnectionError ? OperationOutcome.NotExecuted : OperationOutcome.Unknown;
            return new Answer(null, "", "Connection", outcome, e.Message);
        }
        catch (OperationCanceledException)
        {
            return new Answer(null, "", Answer.Hung, OperationOutcome.Unknown, $"no answer within {deadlineMs} ms and {Grace.TotalSeconds} s more");
        }
        catch (IOException e)
        {
            return new Answer(null, "", "Connection", OperationOutcome.Unknown, e.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    static string KeyPath(string key) => "/v1/kv/" + Uri.EscapeDataString(key);
}

/// <summary>An answer, or what came in its place.</summary>
/// <param name="Status">Null: no answer.</param>
/// <param name="Body">The body as text.</param>
/// <param name="Code">The error's code; "" when it is none.</param>
/// <param name="Outcome">What is known of the effect.</param>
/// <param name="Message">The error's text.</param>
sealed record Answer(HttpStatusCode? Status, string Body, string Code, OperationOutcome Outcome, string Message)
{
    /// <summary>The code of an answer that never came.</summary>
    public const string Hung = "Hung";

    public bool IsOk => Status == HttpStatusCode.OK;

    public bool IsNotFound => Status == HttpStatusCode.NotFound && Code == "NotFound";

    /// <summary>The value of a GET; null when the key is not there.</summary>
    public string? Value => IsOk ? Body : null;

    public static Answer From(HttpMethod method, HttpStatusCode status, string body, MediaTypeHeaderValue? type)
    {
        if (status == HttpStatusCode.OK) return new Answer(status, body, "", OperationOutcome.Ok, "");
        Assert.True(type?.MediaType == "application/json", $"{method} answered {(int)status} without JSON: {body}");
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement;
        // /health says why in its own way.
        if (!root.TryGetProperty("code", out var code)) return new Answer(status, body, "", OperationOutcome.NotExecuted, body);
        var outcome = root.GetProperty("outcome").GetString() switch
        {
            "Result" => OperationOutcome.Ok,
            "NotExecuted" => OperationOutcome.NotExecuted,
            "Unknown" => OperationOutcome.Unknown,
            var other => throw new InvalidDataException($"outcome {other}"),
        };
        Assert.True(root.GetProperty("retrySafe").GetBoolean() == (outcome != OperationOutcome.Unknown), $"retrySafe contradicts outcome: {body}");
        return new Answer(status, body, code.GetString()!, outcome, root.GetProperty("message").GetString()!);
    }

    public override string ToString() => $"{(int?)Status} {Code} {Outcome} {Message} {(Body.Length > 200 ? Body[..200] : Body)}";
}
