using Grpc.Core;
using Grpc.Net.Client;
using Proto.Remote.Endpoints;
using Proto.Remote.GrpcNet;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests.Configuration;

/// <summary>What the configuration offers is honoured, or refused by name before anything starts.</summary>
public sealed class ConfigurationTests
{
    public static TheoryData<string, GrpcNetRemoteConfig> Refused
    {
        get
        {
            var config = GrpcNetRemoteConfig.BindToLocalhost();
            var writer = config.EndpointWriterOptions;
            return new()
            {
                { "Port is 70000", GrpcNetRemoteConfig.BindToLocalhost(70_000) },
                { "AdvertisedPort is 0", config.WithAdvertisedPort(0) },
                { "AdvertisedHost is 0.0.0.0", config.WithAdvertisedHost("0.0.0.0") },
                { "AdvertisedHost is empty", config.WithAdvertisedHost("") },
                { "Host is empty", GrpcNetRemoteConfig.BindTo("") },
                { "EndpointWriterBatchSize is 0", config.WithEndpointWriterBatchSize(0) },
                { "MaxRetries is -1", config.WithEndpointWriterMaxRetries(-1) },
                { "MaxMessageBytes is 1", config.WithMaxMessageBytes(1) },
                { "MaxMessageBytes is 2147483647", config.WithMaxMessageBytes(int.MaxValue) },
                { "MaxQueuedMessages is 0", config.WithMaxQueuedMessages(0) },
                { "MaxBatchBytes is 0", config with { EndpointWriterOptions = writer with { MaxBatchBytes = 0 } } },
                { "MaxQueuedBytes is 0", config.WithMaxQueuedBytes(0) },
                { "MaxRetryBackOff is -00:00:01", config.WithEndpointWriterMaxRetryBackOff(TimeSpan.FromSeconds(-1)) },
                { "WaitAfterEndpointTerminationTimeSpan is -00:00:01", config with { WaitAfterEndpointTerminationTimeSpan = TimeSpan.FromSeconds(-1) } },
                { "KeepAlivePingDelay", config with { EndpointWriterOptions = writer with { KeepAlivePingDelay = TimeSpan.FromMilliseconds(1) } } },
                { "CallOptions.Deadline", config.WithCallOptions(new CallOptions(deadline: DateTime.UnixEpoch)) },
                { "CallOptions.CancellationToken", config.WithCallOptions(new CallOptions(cancellationToken: new CancellationTokenSource().Token)) },
                { "'grpc-timeout'", config.WithCallOptions(new CallOptions(new Metadata { { "grpc-timeout", "1S" } })) },
                { "'content-type'", config.WithCallOptions(new CallOptions(new Metadata { { "Content-Type", "x" } })) },
                { "Credentials contradict", config.WithChannelOptions(new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }) },
                { "MaxSendMessageSize is 0", config.WithChannelOptions(new GrpcChannelOptions { MaxSendMessageSize = 0 }) },
                { "MaxReceiveMessageSize is 1", config.WithChannelOptions(new GrpcChannelOptions { MaxReceiveMessageSize = 1 }) },
                { "DisposeHttpClient", config.WithChannelOptions(new GrpcChannelOptions { DisposeHttpClient = true }) },
                { "the listener has no certificate", config with { UseHttps = true } },
                { "UseHttps is off", config with { Tls = new TlsOptions { Certificate = () => new Tls.TestAuthority("a").Sign("b") } } },
                {
                    "HttpHandler and Tls",
                    config.WithTls(new Tls.TestAuthority("a").Sign("b")).WithChannelOptions(new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler() })
                },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_honoured_is_refused_by_name(string complaint, GrpcNetRemoteConfig config)
    {
        var refused = Assert.Throws<ArgumentException>(() => new ActorSystem().WithRemote(config));

        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_take_only_what_a_header_can_hold()
    {
        var headers = new Metadata();

        Assert.Throws<ArgumentException>(() => headers.Add("a b", "x"));
        Assert.DoesNotContain("s3cret", Assert.Throws<ArgumentException>(() => headers.Add("token", "s3cret\n")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => headers.Add("bytes-bin", "text"));
        Assert.Throws<ArgumentException>(() => headers.Add("bytes", new byte[1]));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
        Assert.Empty(headers);
    }

    [Fact]
    public async Task The_advertised_host_and_port_are_in_the_address()
    {
        await using var node = await TestNode.StartAsync(config => config.WithAdvertisedHost("node.example").WithAdvertisedPort(4321));

        Assert.Equal("node.example:4321", node.Address);
        Assert.Equal(("node.example", 4321), node.System.GetAddress());
    }

    [Fact]
    public async Task Port_0_becomes_the_port_that_the_operating_system_chose()
    {
        await using var one = await TestNode.StartAsync();
        await using var other = await TestNode.StartAsync();

        Assert.InRange(one.System.GetAddress().Port, 1, 65535);
        Assert.NotEqual(one.Address, other.Address);
    }

    [Theory]
    [InlineData("::1")]
    [InlineData("[::1]")]
    public async Task IPv6_addresses_stand_in_brackets(string host)
    {
        await using var listener = await NodeAt(GrpcNetRemoteConfig.BindTo(host));
        await using var caller = await NodeAt(GrpcNetRemoteConfig.BindTo(host));

        Assert.StartsWith("[::1]:", listener.Address, StringComparison.Ordinal);
        // The answer comes back over the caller's own address.
        Assert.Equal(1, (await AskAsync(caller, listener.Address, 1)).Number);
    }

    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::", "127.0.0.1")]
    [InlineData("::", "[::1]")]
    public async Task All_interfaces_are_listened_on_and_one_is_advertised(string host, string advertised)
    {
        await using var listener = await NodeAt(GrpcNetRemoteConfig.BindTo(host).WithAdvertisedHost(advertised));
        await using var caller = await TestNode.StartClientAsync();

        Assert.StartsWith($"{advertised}:", listener.Address, StringComparison.Ordinal);
        Assert.Equal(1, (await AskAsync(caller, listener.Address, 1)).Number);
    }

    [Fact]
    public async Task Who_advertises_all_interfaces_is_warned()
    {
        var log = new RecordedLog();
        var system = new ActorSystem(ActorSystemConfig.Setup().WithLoggerFactory(log)).WithRemote(GrpcNetRemoteConfig.BindToAllInterfaces());

        await system.Remote().StartAsync();

        await log.LineWith("names 0.0.0.0, which other machines cannot call: set AdvertisedHost");
        await system.Remote().ShutdownAsync();
        await system.DisposeAsync();
    }

    [Fact]
    public async Task The_uri_chooser_chooses_the_port()
    {
        IEnumerable<Uri>? offered = null;
        await using var node = await TestNode.StartAsync(config => config.WithUriChooser(uris =>
        {
            offered = uris;
            return new Uri("http://elsewhere:1234");
        }));

        var listened = Assert.Single(offered!);
        Assert.Equal(("http", "127.0.0.1"), (listened.Scheme, listened.Host));
        Assert.Equal("127.0.0.1:1234", node.Address);
    }

    [Fact]
    public async Task A_frame_over_MaxSendMessageSize_is_never_sent()
    {
        const int Limit = 4096;
        await using var receiver = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Limit / 2)); // takes frames of that size
        await using var sender = await TestNode.StartAsync(config => config.WithChannelOptions(new GrpcChannelOptions { MaxSendMessageSize = Limit }));
        var inbox = receiver.SpawnInbox("inbox", out _);
        var deadLetters = sender.Events<DeadLetterEvent>();
        var small = new string('s', 1500);

        // Together they are far over the limit, alone each fits.
        for (var i = 0; i < 20; i++) sender.Root.Send(receiver.Of("inbox"), new Ping { Number = i, Text = small });
        sender.Root.Send(receiver.Of("inbox"), new Ping { Number = 20, Text = new string('l', Limit) });
        sender.Root.Send(receiver.Of("inbox"), new Ping { Number = 21, Text = small });

        for (var i = 0; i < 20; i++) Assert.Equal(i, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
        Assert.Equal(21, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
        Assert.Equal(20, Assert.IsType<Ping>((await deadLetters.ReadAsync(TestNode.Soon())).Message).Number);
    }

    [Fact]
    public async Task A_frame_over_MaxReceiveMessageSize_is_not_taken()
    {
        // A member that does not heed what the client says it takes.
        var frame = Handshake.Frame(new RemoteMessage { MessageBatch = new MessageBatch { Targets = { new string('x', 5000) } } });
        await using var member = await ScriptedPeer.StartAsync(async (_, call, over) =>
        {
            await call.WriteAsync(frame, call.Aborted);
            await ScriptedPeer.UntilOverAsync(over);
        });
        var log = new RecordedLog();
        await using var client = await TestNode.StartClientAsync(
            config => config.WithChannelOptions(new GrpcChannelOptions { MaxReceiveMessageSize = 2000 }), ActorSystemConfig.Setup().WithLoggerFactory(log));

        client.Root.Send(member.Of("x"), new Ping());

        await log.LineWith("is over the limit of 2000");
    }

    [Fact]
    public async Task A_handler_of_ones_own_opens_the_connections_and_is_disposed_when_asked()
    {
        await using var member = await TestNode.StartAsync();
        member.SpawnEcho();
        var handler = new CountingHandler();
        var client = await TestNode.StartClientAsync(config => config.WithChannelOptions(new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true }));

        Assert.Equal(1, (await AskAsync(client, member.Address, 1)).Number);
        Assert.Equal(1, handler.Calls);
        Assert.False(handler.IsDisposed);
        await client.DisposeAsync();
        Assert.True(handler.IsDisposed);
    }

    static async Task<TestNode> NodeAt(GrpcNetRemoteConfig config)
    {
        var node = await TestNode.StartAsync(given => config.WithProtoMessages(TestMessagesReflection.Descriptor));
        node.SpawnEcho();
        return node;
    }

    static Task<Pong> AskAsync(TestNode from, string address, long number) =>
        from.Root.RequestAsync<Pong>(PID.FromAddress(address, "echo"), new Ping { Number = number }, TestNode.Soon());

    sealed class CountingHandler() : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Calls { get; private set; }

        public bool IsDisposed { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Calls++;
            return base.SendAsync(request, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
