using Proto.Remote.Transport;

namespace Proto.Remote.Tests.Diagnostics;

/// <summary>The calls that look into a running system from outside.</summary>
public sealed class ProcessDiagnosticsTests
{
    [Theory]
    [InlineData("Order", ListProcessesMatchType.MatchPartOfString, "order-1,order-22,reorder")]
    [InlineData("ORDER-1", ListProcessesMatchType.MatchExactString, "order-1")]
    [InlineData("^order-[0-9]{2}$", ListProcessesMatchType.MatchRegex, "order-22")]
    [InlineData("nothing", ListProcessesMatchType.MatchPartOfString, "")]
    public async Task Processes_are_listed_by_name(string pattern, ListProcessesMatchType type, string expected)
    {
        await using var node = await TestNode.StartAsync(config => config.WithRemoteDiagnostics(true));
        foreach (var name in new[] { "reorder", "order-22", "order-1", "invoice" }) node.SpawnEcho(name);

        var (answer, status) = await node.CallAsync("ListProcesses", new ListProcessesRequest { Pattern = pattern, Type = type });

        Assert.Equal(GrpcStatusCode.Ok, status.Code);
        var pids = ListProcessesResponse.Parser.ParseFrom(answer).Pids;
        Assert.Equal(expected, string.Join(',', pids.Select(pid => pid.Id)));
        Assert.All(pids, pid => Assert.Equal(node.Address, pid.Address));
    }

    [Theory]
    [InlineData("(", ListProcessesMatchType.MatchRegex)]
    [InlineData(@"(a)\1", ListProcessesMatchType.MatchRegex)] // cannot be matched in linear time
    [InlineData("x", (ListProcessesMatchType)7)]
    public async Task A_pattern_that_cannot_be_used_is_refused(string pattern, ListProcessesMatchType type)
    {
        await using var node = await TestNode.StartAsync(config => config.WithRemoteDiagnostics(true));

        var (answer, status) = await node.CallAsync("ListProcesses", new ListProcessesRequest { Pattern = pattern, Type = type });

        Assert.Null(answer);
        Assert.Equal(GrpcStatusCode.InvalidArgument, status.Code);
    }

    /// <summary>This expression takes a backtracking engine longer than anybody lives.</summary>
    [Fact]
    public async Task An_expression_made_to_hurt_does_not()
    {
        await using var node = await TestNode.StartAsync(config => config.WithRemoteDiagnostics(true));
        node.SpawnEcho(new string('a', 60) + "!");

        var (answer, status) = await node.CallAsync(
            "ListProcesses", new ListProcessesRequest { Pattern = "^(a|aa|a?a)+$", Type = ListProcessesMatchType.MatchRegex });

        Assert.Equal(GrpcStatusCode.Ok, status.Code);
        Assert.Empty(ListProcessesResponse.Parser.ParseFrom(answer).Pids);
    }

    [Fact]
    public async Task An_actor_describes_itself()
    {
        await using var node = await TestNode.StartAsync(config => config.WithRemoteDiagnostics(true));
        node.SpawnEcho("order-1");

        var (answer, status) = await node.CallAsync("GetProcessDiagnostics", new GetProcessDiagnosticsRequest { Pid = node.Of("order-1") });

        Assert.Equal(GrpcStatusCode.Ok, status.Code);
        Assert.Contains($"{node.Address}/order-1", GetProcessDiagnosticsResponse.Parser.ParseFrom(answer).DiagnosticsString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_here_is_not_described()
    {
        await using var node = await TestNode.StartAsync(config => config.WithRemoteDiagnostics(true));

        Assert.Equal(GrpcStatusCode.NotFound, (await node.CallAsync("GetProcessDiagnostics", new GetProcessDiagnosticsRequest { Pid = node.Of("nobody") })).Status.Code);
        Assert.Equal(GrpcStatusCode.InvalidArgument, (await node.CallAsync("GetProcessDiagnostics", new GetProcessDiagnosticsRequest())).Status.Code);
        Assert.Equal(
            GrpcStatusCode.InvalidArgument,
            (await node.CallAsync("GetProcessDiagnostics", new GetProcessDiagnosticsRequest { Pid = new PID("other:1", "x") })).Status.Code);
        Assert.Equal(GrpcStatusCode.InvalidArgument, (await node.CallAsync("/remote.Remoting/ListProcesses", [0xff])).Status.Code);
    }

    [Theory]
    [InlineData("ListProcesses")]
    [InlineData("GetProcessDiagnostics")]
    public async Task Without_remote_diagnostics_the_calls_are_not_there(string method)
    {
        await using var node = await TestNode.StartAsync();

        var (answer, status) = await node.CallAsync(method, new ListProcessesRequest());

        Assert.Null(answer);
        Assert.Equal(GrpcStatusCode.Unimplemented, status.Code);
        Assert.Contains("RemoteDiagnostics is off", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_handshake_of_an_earlier_protocol_is_refused_by_name()
    {
        await using var node = await TestNode.StartAsync();

        var (_, connect) = await node.CallAsync("/remote.Remoting/Connect", []);
        // 0.x: Receive(stream MessageBatch { type_names = 1, target_names = 2, … }), without a greeting.
        var (_, batch) = await node.CallAsync("/remote.Remoting/Receive", [0x0A, 0x04, 0x12, 0x02, 0x08, 0x07]);

        Assert.Equal(GrpcStatusCode.Unimplemented, connect.Code);
        Assert.Contains("Proto.Remote 0.x", connect.Message, StringComparison.Ordinal);
        Assert.Equal(GrpcStatusCode.InvalidArgument, batch.Code);
        Assert.Contains("ConnectRequest", batch.Message, StringComparison.Ordinal);
    }
}
