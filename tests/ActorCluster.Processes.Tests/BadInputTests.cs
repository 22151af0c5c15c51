using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using ActorCluster.Processes.Tests.Fixture;
using ActorCluster.Simulation.Histories;

namespace ActorCluster.Processes.Tests;

/// <summary>What is wrong is refused with a typed error that says what and why, in bounded time, by every node.</summary>
[Collection(SharedClustersCollection.Name)]
public sealed class BadInputTests(SharedClusters clusters)
{
    [Fact]
    public async Task Unknown_key_is_404() =>
        await EachNodeAsync(n => n.Http.GetAsync("nobody-wrote-this"), HttpStatusCode.NotFound, "NotFound");

    [Fact]
    public async Task Key_over_1_KiB_is_refused() =>
        await EachNodeAsync(n => n.Http.PutAsync(new string('k', 1025), "1"), HttpStatusCode.BadRequest, "KeyTooLong", "1024");

    [Fact]
    public async Task Key_of_1_KiB_is_taken()
    {
        var cluster = await clusters.GetAsync(16);
        var key = new string('k', 1024);
        foreach (var node in cluster.Nodes)
        {
            var write = await node.Http.PutAsync(key, node.Name);
            Assert.True(write.IsOk, $"{node.Name}: {write}");
        }

        await cluster.ReadsAsync(key, cluster.Nodes[^1].Name);
    }

    [Fact]
    public async Task Value_over_1_MiB_is_refused() =>
        await EachNodeAsync(n => n.Http.PutAsync("big", new ByteArrayContent(new byte[(1024 * 1024) + 1])), HttpStatusCode.RequestEntityTooLarge, "ValueTooLarge", "1048576");

    [Fact]
    public async Task Value_of_1_MiB_is_taken()
    {
        var cluster = await clusters.GetAsync(16);
        var key = SharedClusters.Key("mib", 16);
        var value = new string('v', 1024 * 1024);
        await cluster.WriteAsync(cluster.Nodes[0], key, value);
        await cluster.ReadsAsync(key, value);
        Assert.True((await cluster.Nodes[0].Http.DeleteAsync(key)).IsOk);
    }

    [Fact]
    public async Task Malformed_json_is_refused() => await EachNodeAsync(
        n => n.Http.PutAsync("json", new ByteArrayContent(Encoding.UTF8.GetBytes("{\"a\":")) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } }),
        HttpStatusCode.BadRequest,
        "MalformedJson");

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("soon")]
    public async Task A_deadline_that_is_none_is_refused(string deadline) => await EachNodeAsync(
        n => n.Http.SendAsync(HttpMethod.Get, "/v1/kv/any", null, 1000, deadline), HttpStatusCode.BadRequest, "InvalidArgument", "X-Deadline-Ms");

    [Fact]
    public async Task Unknown_path_and_method_are_refused()
    {
        await EachNodeAsync(n => n.Http.SendAsync(HttpMethod.Get, "/v2/none", null, 1000), HttpStatusCode.NotFound, "NoSuchPath");
        await EachNodeAsync(n => n.Http.SendAsync(HttpMethod.Post, "/v1/kv/any", new ByteArrayContent([]), 1000), HttpStatusCode.MethodNotAllowed, "MethodNotAllowed");
    }

    [Fact]
    public async Task Deleting_a_key_that_is_not_there_is_no_error_and_blocks_nothing()
    {
        var cluster = await clusters.GetAsync(1);
        var key = SharedClusters.Key("never", 1);
        foreach (var node in cluster.Nodes)
        {
            var answer = await node.Http.DeleteAsync(key);
            Assert.True(answer.IsOk, $"{node.Name}: {answer}");
            Assert.Contains("\"existed\":false", answer.Body, StringComparison.Ordinal);
        }

        // J02: the apply loop goes on.
        await cluster.WriteAsync(cluster.Nodes[0], key, "1");
        await cluster.ReadsAsync(key, "1");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task Without_quorum_every_request_ends_typed_and_in_time(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, other) = await cluster.LeadersAsync();
        foreach (var node in cluster.Nodes.Where(n => n != other)) cluster.Kill(node);
        var watch = Stopwatch.StartNew();
        var requests = new List<Task<Answer>>();
        foreach (var deadlineMs in new[] { 300, 1500, 4000 })
        {
            for (var i = 0; i < 4; i++)
            {
                requests.Add(other.Http.PutAsync($"q{i}", "1", deadlineMs));
                requests.Add(other.Http.GetAsync($"q{i}", deadlineMs));
                requests.Add(other.Http.DeleteAsync($"q{i}", deadlineMs));
            }
        }

        foreach (var answer in await Task.WhenAll(requests))
        {
            Assert.True(answer.Code is "NoQuorum" or "DeadlineExceeded", $"{answer}");
            Assert.NotEqual(OperationOutcome.Ok, answer.Outcome);
            Assert.NotEqual("", answer.Message);
        }

        // The longest deadline was 4 s; the rest is for a slow machine.
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 12);

        // With time to find out, the reason is named.
        var late = await other.Http.GetAsync("q0", deadlineMs: 10_000);
        Assert.True(late.Code == "NoQuorum", $"{late}");
        var health = await other.Http.HealthAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.Status);
        await cluster.RestoreAsync();
        Assert.True((await leader.Http.PutAsync(SharedClusters.Key("q", partitions), "1")).IsOk);
    }

    async Task EachNodeAsync(Func<NodeProcess, Task<Answer>> request, HttpStatusCode status, string code, string inMessage = "")
    {
        var cluster = await clusters.GetAsync(16);
        foreach (var node in cluster.Nodes)
        {
            var answer = await request(node);
            Assert.True(answer.Status == status && answer.Code == code, $"{node.Name}: expected {(int)status} {code}, got {answer}");
            Assert.NotEqual(OperationOutcome.Unknown, answer.Outcome);
            Assert.Contains(inMessage, answer.Message, StringComparison.Ordinal);
        }
    }
}
