using Proto.Remote.Transport;

namespace Proto.Remote.Tests.Diagnostics;

/// <summary>gRPC's health checking protocol (grpc/doc/health-checking.md).</summary>
public sealed class HealthTests
{
    static readonly byte[] Serving = [8, 1];
    static readonly byte[] NotServing = [8, 2];
    static readonly byte[] ServiceUnknown = [8, 3];

    [Theory]
    [InlineData("")]
    [InlineData("remote.Remoting")]
    public async Task A_running_service_serves(string service)
    {
        await using var node = await TestNode.StartAsync();

        var (answer, status) = await node.CallAsync("/grpc.health.v1.Health/Check", About(service));

        Assert.Equal(GrpcStatusCode.Ok, status.Code);
        Assert.Equal(Serving, answer);
    }

    [Fact]
    public async Task A_service_that_is_not_here_is_not_found()
    {
        await using var node = await TestNode.StartAsync();

        var (answer, status) = await node.CallAsync("/grpc.health.v1.Health/Check", About("other.Service"));

        Assert.Null(answer);
        Assert.Equal(GrpcStatusCode.NotFound, status.Code);
    }

    [Fact]
    public async Task A_watcher_is_told_that_the_shutdown_begins()
    {
        var node = await TestNode.StartAsync();
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        using var watch = await channel.OpenAsync("/grpc.health.v1.Health/Watch", GrpcFrame.Wrap(About("")), TestNode.Soon());
        Assert.Equal(Serving, (await watch.Responses.ReadAsync(TestNode.Soon()))!.Value.ToArray());

        var ending = node.DisposeAsync();

        Assert.Equal(NotServing, (await watch.Responses.ReadAsync(TestNode.Soon()))!.Value.ToArray());
        await ending;
    }

    [Fact]
    public async Task A_watcher_of_a_service_that_is_not_here_is_told_so_and_waits()
    {
        await using var node = await TestNode.StartAsync();
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        using var watch = await channel.OpenAsync("/grpc.health.v1.Health/Watch", GrpcFrame.Wrap(About("other")), TestNode.Soon());

        Assert.Equal(ServiceUnknown, (await watch.Responses.ReadAsync(TestNode.Soon()))!.Value.ToArray());
        Assert.Null(watch.Status);
    }

    static byte[] About(string service) => service.Length == 0 ? [] : [0x0A, (byte)service.Length, .. System.Text.Encoding.ASCII.GetBytes(service)];
}
