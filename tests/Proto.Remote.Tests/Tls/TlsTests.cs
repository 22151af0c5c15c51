using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Proto.Remote.GrpcNet;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests.Tls;

/// <summary>Who talks to whom over TLS, who refuses whom, and what is said about it.</summary>
public sealed class TlsTests
{
    readonly TestAuthority _authority = new("our authority");
    readonly TestAuthority _stranger = new("another authority");
    readonly RecordedLog _log = new();

    [Fact]
    public async Task Members_and_clients_talk_over_mutual_TLS()
    {
        await using var a = await MutualAsync("a");
        await using var b = await MutualAsync("b");
        await using var client = await TestNode.StartClientAsync(config => config.WithMutualTls(_authority.Sign("client"), _authority.Certificate));
        b.SpawnEcho();

        Assert.Equal(1, (await AskAsync(a, b, 1)).Number);
        Assert.Equal(2, (await AskAsync(client, b, 2)).Number);
    }

    [Fact]
    public async Task A_client_without_certificate_talks_over_TLS_where_none_is_required()
    {
        await using var server = await TestNode.StartAsync(config => config.WithTls(_authority.Sign("server"), _authority.Certificate));
        await using var client = await TestNode.StartClientAsync(config => config.WithTls(null, _authority.Certificate));
        server.SpawnEcho();

        Assert.Equal(3, (await AskAsync(client, server, 3)).Number);
    }

    [Fact]
    public async Task Kestrels_own_TLS_settings_work_too()
    {
        await using var server = await TestNode.StartAsync(config => config with
        {
            UseHttps = true,
            ConfigureKestrel = listen => listen.UseHttps(_authority.Sign("server")),
        });
        await using var client = await TestNode.StartClientAsync(config => config.WithTls(null, _authority.Certificate));
        server.SpawnEcho();

        Assert.Equal(4, (await AskAsync(client, server, 4)).Number);
    }

    [Fact]
    public async Task A_plain_caller_is_refused()
    {
        await using var server = await MutualAsync("server");
        await using var plain = await TestNode.StartClientAsync(systemConfig: Logged());

        await RefusedAsync(plain, server);

        await _log.LineWith($"{server.Address} ended the connection before it answered");
    }

    [Fact]
    public async Task A_TLS_caller_refuses_a_plain_server()
    {
        await using var server = await TestNode.StartAsync();
        await using var caller = await CallerAsync(_authority.Sign("caller"), _authority);

        await RefusedAsync(caller, server);

        await _log.LineWith($"no TLS with {server.Address}");
    }

    [Fact]
    public async Task A_caller_without_certificate_is_refused_where_one_is_required()
    {
        await using var server = await MutualAsync("server");
        await using var caller = await CallerAsync(null, _authority);

        await RefusedAsync(caller, server);

        await _log.LineWith("is refused here: it has no certificate");
    }

    [Fact]
    public async Task A_caller_of_another_authority_is_refused_by_the_server()
    {
        await using var server = await MutualAsync("server");
        await using var caller = await CallerAsync(_stranger.Sign("intruder"), _authority);

        await RefusedAsync(caller, server);

        await BothSay(server, "is refused here: its certificate 'CN=intruder'", "no trusted authority has signed it");
    }

    [Fact]
    public async Task A_server_of_another_authority_is_refused_by_the_caller()
    {
        await using var server = await MutualAsync("server");
        await using var caller = await CallerAsync(_authority.Sign("caller"), _stranger);

        await RefusedAsync(caller, server);

        var line = await _log.LineWith($"{server.Address} is refused by this system: its certificate 'CN=server'");
        Assert.Contains("no trusted authority has signed it", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_whose_certificate_has_expired_is_refused()
    {
        await using var server = await MutualAsync("server");
        await using var caller = await CallerAsync(_authority.SignExpired("caller"), _authority);

        await RefusedAsync(caller, server);

        await BothSay(server, "is refused here: its certificate 'CN=caller'", "is not valid at this time");
    }

    [Fact]
    public async Task A_server_whose_certificate_has_expired_is_refused()
    {
        await using var server = await TestNode.StartAsync(config => config.WithMutualTls(_authority.SignExpired("server"), _authority.Certificate));
        await using var caller = await CallerAsync(_authority.Sign("caller"), _authority);

        await RefusedAsync(caller, server);

        Assert.Contains("is not valid at this time", await _log.LineWith("is refused by this system: its certificate 'CN=server'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_use_is_refused()
    {
        await using var server = await MutualAsync("server");
        await using var caller = await CallerAsync(_authority.SignForServersOnly("caller"), _authority);

        await RefusedAsync(caller, server);

        await BothSay(server, "is refused here: its certificate 'CN=caller'", "it is not meant for this use");
    }

    [Fact]
    public async Task A_servers_name_is_checked()
    {
        await using var server = await TestNode.StartAsync(config => config
            .WithMutualTls(_authority.Sign("node.cluster", forLoopback: false), _authority.Certificate));
        server.SpawnEcho();
        await using var caller = await CallerAsync(_authority.Sign("caller"), _authority);
        await using var knowing = await TestNode.StartClientAsync(config => config.WithTls(TlsOf(_authority.Sign("caller")) with { PeerName = "node.cluster" }));

        await RefusedAsync(caller, server);

        await _log.LineWith("it is for another name");
        Assert.Equal(5, (await AskAsync(knowing, server, 5)).Number);
    }

    [Fact]
    public async Task Single_certificates_are_trusted_by_thumbprint_without_any_authority()
    {
        using var known = new TestAuthority("its own authority").Sign("known");
        using var other = new TestAuthority("its own authority").Sign("other");
        TlsOptions Pinned(X509Certificate2 own) => new()
        {
            Certificate = () => own,
            TrustedThumbprints = [TlsOptions.ThumbprintOf(known)],
            RequireClientCertificate = true,
        };
        await using var server = await TestNode.StartAsync(config => config.WithTls(Pinned(known)), systemConfig: Logged());
        server.SpawnEcho();
        await using var friend = await TestNode.StartClientAsync(config => config.WithTls(Pinned(known)));
        await using var intruder = await TestNode.StartClientAsync(config => config.WithTls(Pinned(other)));

        Assert.Equal(6, (await AskAsync(friend, server, 6)).Number);
        await RefusedAsync(intruder, server);
        await _log.LineWith("its thumbprint is not among the trusted ones");
    }

    [Fact]
    public async Task A_pinned_certificate_that_has_expired_is_refused()
    {
        using var expired = _authority.SignExpired("known");
        await using var server = await TestNode.StartAsync(config => config.WithTls(new TlsOptions { Certificate = () => expired }));
        await using var caller = await TestNode.StartClientAsync(
            config => config.WithTls(new TlsOptions { TrustedThumbprints = [TlsOptions.ThumbprintOf(expired)] }), Logged());

        await RefusedAsync(caller, server);

        await _log.LineWith("it has expired at");
    }

    [Fact]
    public async Task A_condition_of_ones_own_can_refuse_a_peer()
    {
        await using var server = await TestNode.StartAsync(
            config => config.WithTls(TlsOf(_authority.Sign("server")) with { AcceptPeer = certificate => certificate.Subject is "CN=friend" }), systemConfig: Logged());
        server.SpawnEcho();
        await using var friend = await TestNode.StartClientAsync(config => config.WithMutualTls(_authority.Sign("friend"), _authority.Certificate));
        await using var enemy = await TestNode.StartClientAsync(config => config.WithMutualTls(_authority.Sign("enemy"), _authority.Certificate));

        Assert.Equal(7, (await AskAsync(friend, server, 7)).Number);
        await RefusedAsync(enemy, server);
        await _log.LineWith("AcceptPeer refuses it");
    }

    [Fact]
    public async Task Certificates_between_ones_own_and_the_authority_are_sent_along()
    {
        var department = new TestAuthority("a department", above: _authority);
        TlsOptions WithChain(string name)
        {
            var own = department.Sign(name);
            return TlsOf(own) with { Intermediates = [X509CertificateLoader.LoadCertificate(department.Certificate.RawData)] };
        }

        await using var server = await TestNode.StartAsync(config => config.WithTls(WithChain("server")));
        server.SpawnEcho();
        await using var caller = await TestNode.StartClientAsync(config => config.WithTls(WithChain("caller")));

        Assert.Equal(8, (await AskAsync(caller, server, 8)).Number);
    }

    [Fact]
    public async Task A_renewed_certificate_is_used_for_new_connections()
    {
        var current = _authority.Sign("before");
        await using var server = await TestNode.StartAsync(config => config.WithTls(new TlsOptions { Certificate = () => current }));
        server.SpawnEcho();
        var seen = new List<string>();
        TlsOptions Seeing() => new()
        {
            TrustedAuthorities = () => [_authority.Certificate],
            AcceptPeer = certificate =>
            {
                seen.Add(certificate.Subject);
                return true;
            },
        };

        await using (var first = await TestNode.StartClientAsync(config => config.WithTls(Seeing()))) await AskAsync(first, server, 1);
        current = _authority.Sign("after");
        await using (var second = await TestNode.StartClientAsync(config => config.WithTls(Seeing()))) await AskAsync(second, server, 2);

        Assert.Equal(["CN=before", "CN=after"], seen);
    }

    [Fact]
    public async Task TLS_older_than_1_2_is_refused()
    {
        await using var server = await MutualAsync("server");
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync("127.0.0.1", server.System.GetAddress().Port, TestNode.Soon());
        // A ClientHello whose highest version is TLS 1.1: record 3.1, handshake 3.2, no supported_versions.
        byte[] hello = [3, 2, .. new byte[32], 0, 0, 2, 0x00, 0x2f, 1, 0];
        byte[] handshake = [1, 0, 0, (byte)hello.Length, .. hello];
        await socket.GetStream().WriteAsync((byte[])[0x16, 3, 1, 0, (byte)handshake.Length, .. handshake], TestNode.Soon());

        var answer = new byte[7];
        var read = await socket.GetStream().ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, TestNode.Soon());

        // Nothing, or an alert (21): never a ServerHello (22).
        Assert.True(read == 0 || answer[0] == 21, Convert.ToHexString(answer));
    }

    public static TheoryData<string, TlsOptions, string> WrongSettings
    {
        get
        {
            var authority = new TestAuthority("authority");
            var own = authority.Sign("own");
            return new()
            {
                { "no certificate", new TlsOptions(), "Tls.Certificate is missing" },
                { "no key", new TlsOptions { Certificate = () => authority.Sign("x").PublicOnly() }, "no private key" },
                { "anybody", new TlsOptions { Certificate = () => own, RequireClientCertificate = true }, "Tls.RequireClientCertificate needs" },
                { "SHA-1", new TlsOptions { Certificate = () => own, TrustedThumbprints = [own.Thumbprint] }, "no SHA-256 thumbprint" },
                { "no time", new TlsOptions { Certificate = () => own, HandshakeTimeout = TimeSpan.Zero }, "Tls.HandshakeTimeout" },
            };
        }
    }

    [Theory]
    [MemberData(nameof(WrongSettings))]
    public void Settings_that_make_no_sense_are_refused_by_name(string what, TlsOptions tls, string complaint)
    {
        var refused = Assert.Throws<ArgumentException>(() => new ActorSystem().WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithTls(tls)));

        Assert.True(refused.Message.Contains(complaint, StringComparison.Ordinal), $"{what}: {refused.Message}");
    }

    /// <summary>Both sides mutual TLS, and both logs at the finest level.</summary>
    [Fact]
    public async Task Nothing_secret_is_logged()
    {
        const string Token = "s3cr3t-t0k3n";
        using var serverCertificate = _authority.Sign("server");
        using var callerCertificate = _authority.Sign("caller");
        await using var server = await TestNode.StartAsync(config => config.WithMutualTls(serverCertificate, _authority.Certificate), systemConfig: Logged());
        server.SpawnEcho();
        await using var caller = await TestNode.StartClientAsync(
            config => config
                .WithMutualTls(callerCertificate, _authority.Certificate)
                .WithCallOptions(new Grpc.Core.CallOptions(headers: new Grpc.Core.Metadata { { "authorization", Token } })),
            Logged());
        await using var intruder = await CallerAsync(_stranger.Sign("intruder"), _authority);

        await AskAsync(caller, server, 1);
        await RefusedAsync(intruder, server);
        await _log.LineWith("is refused here");

        Assert.DoesNotContain(_log.All, line => line.Contains(Token, StringComparison.Ordinal));
        Assert.DoesNotContain(_log.All, line => line.Contains("PRIVATE KEY", StringComparison.Ordinal));
        Assert.DoesNotContain(Token, $"{caller.System.Remote().Config}", StringComparison.Ordinal);
    }

    Task<TestNode> MutualAsync(string name) =>
        TestNode.StartAsync(config => config.WithMutualTls(_authority.Sign(name), _authority.Certificate), systemConfig: Logged());

    Task<TestNode> CallerAsync(X509Certificate2? certificate, TestAuthority trusted) =>
        TestNode.StartClientAsync(config => config.WithTls(certificate, trusted.Certificate), Logged());

    TlsOptions TlsOf(X509Certificate2 own) => new()
    {
        Certificate = () => own,
        TrustedAuthorities = () => [_authority.Certificate],
        RequireClientCertificate = true,
    };

    ActorSystemConfig Logged() => ActorSystemConfig.Setup().WithLoggerFactory(_log);

    static Task<Pong> AskAsync(TestNode from, TestNode to, long number) =>
        from.Root.RequestAsync<Pong>(to.Of("echo"), new Ping { Number = number }, TestNode.Soon());

    static Task RefusedAsync(TestNode from, TestNode to) => Assert.ThrowsAsync<DeadLetterException>(() => AskAsync(from, to, 0));

    /// <summary>The server says why; the caller, who is not told, where to look.</summary>
    async Task BothSay(TestNode server, string refusal, string reason)
    {
        Assert.Contains(_log.All, line => line.Contains(refusal, StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal));
        await _log.LineWith($"{server.Address} ended the TLS connection before it answered");
    }
}

file static class Certificates
{
    public static X509Certificate2 PublicOnly(this X509Certificate2 certificate) => X509CertificateLoader.LoadCertificate(certificate.RawData);
}
