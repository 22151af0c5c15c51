using System.Collections.Concurrent;
using Grpc.Core;
using Proto.Remote.GrpcNet;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Tests.Tls;

namespace Proto.Remote.Tests.Access;

/// <summary>Who may open a stream.</summary>
public sealed class ConnectionFilterTests
{
    [Fact]
    public async Task A_stream_is_refused_by_what_the_callers_headers_say()
    {
        var log = new RecordedLog();
        await using var member = await TestNode.StartAsync(
            config => config.WithConnectionFilter(connection => connection.Headers.GetValue("authorization") is "token 1"),
            systemConfig: ActorSystemConfig.Setup().WithLoggerFactory(log));
        member.SpawnEcho();
        await using var allowed = await TestNode.StartClientAsync(config => WithToken(config, "token 1"));
        await using var refused = await TestNode.StartClientAsync(config => WithToken(config, "token 2"));

        Assert.Equal(1, (await allowed.Root.RequestAsync<Pong>(member.Of("echo"), new Ping { Number = 1 }, TestNode.Soon())).Number);
        await Assert.ThrowsAsync<DeadLetterException>(() => refused.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon()));

        await log.LineWith($"The client {refused.System.Id}");
        Assert.DoesNotContain(log.All, line => line.Contains("token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_is_refused_learns_that_it_was_the_filter()
    {
        await using var member = await TestNode.StartAsync(config => config.WithConnectionFilter(_ => false));
        var log = new RecordedLog();
        await using var peer = await TestNode.StartAsync(systemConfig: ActorSystemConfig.Setup().WithLoggerFactory(log));

        await Assert.ThrowsAsync<DeadLetterException>(() => peer.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon()));

        await log.LineWith($"PermissionDenied: the connection filter of {member.Address} refuses this member");
    }

    /// <summary>With mutual TLS, who is a member is a matter of certificates: a client cannot claim to be one and escape the client filter.</summary>
    [Fact]
    public async Task Members_are_told_from_clients_by_their_certificates()
    {
        var authority = new TestAuthority("authority");
        var seen = new ConcurrentQueue<IncomingConnection>();
        await using var member = await TestNode.StartAsync(config => config
            .WithMutualTls(authority.Sign("member"), authority.Certificate)
            .WithConnectionFilter(connection =>
            {
                seen.Enqueue(connection);
                return connection.IsClient || connection.Certificate?.Subject is "CN=member";
            }));
        member.SpawnEcho();
        await using var client = await TestNode.StartClientAsync(config => config.WithMutualTls(authority.Sign("client"), authority.Certificate));
        await using var impostor = await TestNode.StartAsync(config => config.WithMutualTls(authority.Sign("client"), authority.Certificate));

        Assert.Equal(1, (await client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping { Number = 1 }, TestNode.Soon())).Number);
        await Assert.ThrowsAsync<DeadLetterException>(() => impostor.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon()));

        var ofClient = seen.First();
        Assert.Equal((client.System.Id, null, "CN=client"), (ofClient.SystemId, ofClient.MemberAddress, ofClient.Certificate?.Subject));
        Assert.Equal(System.Net.IPAddress.Loopback, Assert.IsType<System.Net.IPEndPoint>(ofClient.Caller).Address);
        Assert.Equal(impostor.Address, seen.Last().MemberAddress);
    }

    [Fact]
    public async Task Headers_arrive_as_they_were_sent()
    {
        var seen = new TaskCompletionSource<Metadata>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var member = await TestNode.StartAsync(config => config.WithConnectionFilter(connection =>
        {
            seen.TrySetResult(connection.Headers);
            return true;
        }));
        var sent = new Metadata { { "Tenant", "north" }, { "trace-bin", new byte[] { 0, 255, 7, 8 } } };
        await using var client = await TestNode.StartClientAsync(config => config.WithCallOptions(new CallOptions().WithHeaders(sent)));

        client.Root.Send(member.Of("anybody"), new Ping());

        var headers = await seen.Task.WaitAsync(TestNode.Soon());
        Assert.Equal("north", headers.GetValue("tenant"));
        Assert.Equal([0, 255, 7, 8], headers.GetValueBytes("trace-bin"));
        Assert.Equal(2, headers.Count);
    }

    static GrpcNetRemoteConfig WithToken(GrpcNetRemoteConfig config, string token) =>
        config.WithCallOptions(new CallOptions(headers: new Metadata { { "authorization", token } }));
}
