using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ActorCluster.Node.Http;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorCluster.Node.Tests;

/// <summary>The HTTP API over a real socket and a real Kestrel.</summary>
public sealed class HttpApiTests : IAsyncLifetime
{
    readonly InMemoryKv _kv = new(16);
    readonly KnownCluster _cluster = new();
    readonly HttpApi _api;
    HttpClient _http = new();

    public HttpApiTests() =>
        _api = new HttpApi(new HttpApiSettings("n1", new HostPort("127.0.0.1", 0), TimeSpan.FromSeconds(30)), _kv, _cluster, TimeProvider.System, NullLoggerFactory.Instance);

    public async Task InitializeAsync()
    {
        await _api.StartAsync(CancellationToken.None);
        _http = new HttpClient { BaseAddress = _api.Addresses[0] };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _api.DisposeAsync();
    }

    [Fact]
    public async Task A_value_is_put_read_and_deleted()
    {
        var put = await JsonOf(await _http.PutAsync("/v1/kv/a", new ByteArrayContent([0, 255, 7])), HttpStatusCode.OK);
        Assert.Equal(("a", 1), (put.GetProperty("key").GetString(), put.GetProperty("version").GetInt32()));
        Assert.InRange(put.GetProperty("partition").GetInt32(), 0, 15);

        var get = await _http.GetAsync("/v1/kv/a");
        Assert.Equal(HttpStatusCode.OK, get.StatusCode);
        Assert.Equal([0, 255, 7], await get.Content.ReadAsByteArrayAsync());
        Assert.Equal("1", get.Headers.GetValues("X-Version").Single());
        Assert.Equal(put.GetProperty("partition").GetInt32().ToString(System.Globalization.CultureInfo.InvariantCulture), get.Headers.GetValues("X-Partition").Single());

        var deleted = await JsonOf(await _http.DeleteAsync("/v1/kv/a"), HttpStatusCode.OK);
        Assert.True(deleted.GetProperty("existed").GetBoolean());
        Assert.False((await JsonOf(await _http.DeleteAsync("/v1/kv/a"), HttpStatusCode.OK)).GetProperty("existed").GetBoolean());

        var gone = await ErrorOf(await _http.GetAsync("/v1/kv/a"), HttpStatusCode.NotFound);
        Assert.Equal(("NotFound", "Result", true), (gone.Code, gone.Outcome, gone.RetrySafe));
    }

    [Theory]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("a/b//c/", "a/b//c/")]
    [InlineData("%C3%BCber", "über")]
    [InlineData("a+b%20c%25", "a+b c%")]
    [InlineData("%01", "\u0001")]
    public async Task A_key_is_percent_decoded_text(string encoded, string key)
    {
        var put = await JsonOf(await RawAsync("PUT", "/v1/kv/" + encoded, "v"u8.ToArray()), HttpStatusCode.OK);
        Assert.Equal(key, put.GetProperty("key").GetString());
        Assert.Equal(key, _kv.Last!.Put.Key);
    }

    [Theory]
    [InlineData("/v1/kv/", "InvalidArgument")]
    [InlineData("/v1/kv/%zz", "InvalidArgument")]
    [InlineData("/v1/kv/%4", "InvalidArgument")]
    [InlineData("/v1/kv/%ff%fe", "InvalidArgument")]
    public async Task What_is_no_key_is_refused(string target, string code) =>
        Assert.Equal(code, (await ErrorOf(await RawAsync("GET", target, []), HttpStatusCode.BadRequest)).Code);

    [Fact]
    public async Task A_key_may_have_1024_bytes_of_utf8_and_no_more()
    {
        await JsonOf(await _http.PutAsync("/v1/kv/" + new string('k', 1024), new ByteArrayContent([1])), HttpStatusCode.OK);
        await JsonOf(await _http.PutAsync("/v1/kv/" + Uri.EscapeDataString(new string('ü', 512)), new ByteArrayContent([1])), HttpStatusCode.OK);

        foreach (var key in new[] { new string('k', 1025), Uri.EscapeDataString(new string('ü', 513)), new string('k', 20_000) })
        {
            var error = await ErrorOf(await _http.PutAsync("/v1/kv/" + key, new ByteArrayContent([1])), HttpStatusCode.BadRequest);
            Assert.Equal("KeyTooLong", error.Code);
            Assert.Contains("1024", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // its length is not announced
    public async Task A_value_may_have_1_MiB_and_no_more(bool chunked)
    {
        await JsonOf(await PutAsync(1024 * 1024, chunked), HttpStatusCode.OK);
        Assert.Equal(1024 * 1024, _kv.Last!.Put.Value.Length);

        var error = await ErrorOf(await PutAsync(1024 * 1024 + 1, chunked), HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(("ValueTooLarge", "NotExecuted"), (error.Code, error.Outcome));
        Assert.Contains("1048576", error.Message, StringComparison.Ordinal);
        Assert.Equal(1024 * 1024, _kv.Last!.Put.Value.Length);
    }

    [Fact]
    public async Task A_body_said_to_be_json_must_be_json()
    {
        var error = await ErrorOf(await PutJsonAsync("""{"a":1"""), HttpStatusCode.BadRequest);
        Assert.Equal("MalformedJson", error.Code);
        Assert.Equal("MalformedJson", (await ErrorOf(await PutJsonAsync(""), HttpStatusCode.BadRequest)).Code);

        await JsonOf(await PutJsonAsync("""{"a":[1,2,{"b":null}]}"""), HttpStatusCode.OK);
        Assert.Equal("""{"a":[1,2,{"b":null}]}""", _kv.Last!.Put.Value.ToStringUtf8());
    }

    [Theory]
    [InlineData(ErrorCode.NoQuorum, OutcomeKind.NotExecuted, HttpStatusCode.ServiceUnavailable, true)]
    [InlineData(ErrorCode.NoQuorum, OutcomeKind.Unknown, HttpStatusCode.GatewayTimeout, false)]
    [InlineData(ErrorCode.DeadlineExceeded, OutcomeKind.Unknown, HttpStatusCode.GatewayTimeout, false)]
    [InlineData(ErrorCode.Overloaded, OutcomeKind.NotExecuted, HttpStatusCode.ServiceUnavailable, true)]
    [InlineData(ErrorCode.Internal, OutcomeKind.Unknown, HttpStatusCode.InternalServerError, false)]
    public async Task A_failure_says_its_code_its_outcome_and_whether_a_retry_is_safe(ErrorCode code, OutcomeKind outcome, HttpStatusCode status, bool retrySafe)
    {
        _kv.Failure = new Failure { Code = code, Outcome = outcome, Message = "why" };
        var error = await ErrorOf(await _http.PutAsync("/v1/kv/a", new ByteArrayContent([1])), status);
        Assert.Equal(new Error(code.ToString(), "why", outcome.ToString(), retrySafe), error);
    }

    [Fact]
    public async Task A_request_past_its_deadline_is_answered_and_says_what_is_known()
    {
        _kv.Stalls = true;
        var write = await ErrorOf(await SendAsync(HttpMethod.Put, "/v1/kv/a", "20"), HttpStatusCode.GatewayTimeout);
        Assert.Equal(("DeadlineExceeded", "Unknown", false), (write.Code, write.Outcome, write.RetrySafe));

        var read = await ErrorOf(await SendAsync(HttpMethod.Get, "/v1/kv/a", "20"), HttpStatusCode.GatewayTimeout);
        Assert.Equal(("DeadlineExceeded", "NotExecuted", true), (read.Code, read.Outcome, read.RetrySafe));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("soon")]
    [InlineData("600001")]
    public async Task A_deadline_must_be_milliseconds(string text) =>
        Assert.Equal("InvalidArgument", (await ErrorOf(await SendAsync(HttpMethod.Get, "/v1/kv/a", text), HttpStatusCode.BadRequest)).Code);

    [Fact]
    public async Task The_deadline_goes_with_the_request()
    {
        var before = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await SendAsync(HttpMethod.Delete, "/v1/kv/a", "100000");
        Assert.InRange(_kv.Last!.DeadlineUnixMs, before + 100_000, (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 100_000);
    }

    [Fact]
    public async Task Other_methods_and_paths_are_named()
    {
        var post = await _http.PostAsync("/v1/kv/a", new ByteArrayContent([1]));
        Assert.Equal("MethodNotAllowed", (await ErrorOf(post, HttpStatusCode.MethodNotAllowed)).Code);
        Assert.Equal(["DELETE", "GET", "PUT"], post.Content.Headers.Allow.Order(StringComparer.Ordinal));
        Assert.Equal("MethodNotAllowed", (await ErrorOf(await _http.PostAsync("/health", null), HttpStatusCode.MethodNotAllowed)).Code);
        Assert.Equal("NoSuchPath", (await ErrorOf(await _http.GetAsync("/v2"), HttpStatusCode.NotFound)).Code);
    }

    [Fact]
    public async Task A_forming_node_is_unhealthy_and_names_who_is_missing()
    {
        _cluster.Known = new Members { WaitingFor = { "127.0.0.1:4052" } };
        var health = await JsonOf(await _http.GetAsync("/health"), HttpStatusCode.ServiceUnavailable);
        Assert.False(health.GetProperty("formed").GetBoolean());
        Assert.Equal("127.0.0.1:4052", health.GetProperty("waitingFor")[0].GetString());
        Assert.Contains("127.0.0.1:4052", health.GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_is_healthy_when_it_is_up_and_every_partition_has_a_leader()
    {
        Assert.Equal("Up", (await JsonOf(await _http.GetAsync("/health"), HttpStatusCode.OK)).GetProperty("state").GetString());

        _cluster.Map.Partitions_[1].Leader = 0;
        var health = await JsonOf(await _http.GetAsync("/health"), HttpStatusCode.ServiceUnavailable);
        Assert.Equal("partition 1 has no leader (replicas: n1, n2)", health.GetProperty("reasons")[0].GetString());
    }

    [Fact]
    public async Task Members_groups_and_partitions_are_json()
    {
        var members = await JsonOf(await _http.GetAsync("/v1/members"), HttpStatusCode.OK);
        Assert.Equal("00000000000000aa", members.GetProperty("members")[0].GetProperty("uid").GetString());
        Assert.Equal("Up", members.GetProperty("members")[0].GetProperty("state").GetString());

        var groups = await JsonOf(await _http.GetAsync("/v1/groups"), HttpStatusCode.OK);
        Assert.Equal("coordinator", groups.GetProperty("groups")[0].GetProperty("name").GetString());

        var partitions = await JsonOf(await _http.GetAsync("/v1/partitions"), HttpStatusCode.OK);
        Assert.Equal(2, partitions.GetProperty("partitions").GetArrayLength());
    }

    Task<HttpResponseMessage> PutAsync(int bytes, bool chunked)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, "/v1/kv/big") { Content = new ByteArrayContent(new byte[bytes]) };
        request.Headers.TransferEncodingChunked = chunked;
        return _http.SendAsync(request);
    }

    Task<HttpResponseMessage> PutJsonAsync(string json) => _http.PutAsync("/v1/kv/j", new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")));

    Task<HttpResponseMessage> SendAsync(HttpMethod method, string target, string deadline)
    {
        var request = new HttpRequestMessage(method, target) { Headers = { { "X-Deadline-Ms", deadline } } };
        if (method == HttpMethod.Put) request.Content = new ByteArrayContent([1]);
        return _http.SendAsync(request);
    }

    // System.Uri normalises targets; a socket does not.
    async Task<HttpResponseMessage> RawAsync(string method, string target, byte[] body)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(_api.Addresses[0].Host, _api.Addresses[0].Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(body);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        var text = Encoding.UTF8.GetString(all.ToArray());
        var status = int.Parse(text.AsSpan(9, 3), provider: System.Globalization.CultureInfo.InvariantCulture);
        return new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]) };
    }

    static async Task<JsonElement> JsonOf(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    static async Task<Error> ErrorOf(HttpResponseMessage response, HttpStatusCode status)
    {
        var json = await JsonOf(response, status);
        return new Error(json.GetProperty("code").GetString()!, json.GetProperty("message").GetString()!, json.GetProperty("outcome").GetString()!, json.GetProperty("retrySafe").GetBoolean());
    }

    sealed record Error(string Code, string Message, string Outcome, bool RetrySafe);

    /// <summary>A cluster of two that stands still.</summary>
    sealed class KnownCluster : IAdminQueries
    {
        public Members Known { get; set; } = new()
        {
            Formed = true,
            Members_ = { new Member { Uid = 0xaa, Name = "n1", State = MemberState.Up }, new Member { Uid = 0xbb, Name = "n2", State = MemberState.Up } },
        };

        public Partitions Map { get; } = new()
        {
            Partitions_ =
            {
                new PartitionInfo { Partition = new Partition { Id = 0 }, Leader = 0xaa, ReplicaNames = { "n1", "n2" } },
                new PartitionInfo { Partition = new Partition { Id = 1 }, Leader = 0xbb, ReplicaNames = { "n1", "n2" } },
            },
        };

        public Members Members() => Known;

        public Groups Groups() => new() { Groups_ = { new Group { Id = 1, Name = "coordinator" } } };

        public Partitions Partitions() => Map;
    }
}
