using System.Net;
using System.Net.Sockets;
using ActorCluster.Protocol;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using BadRequest = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace ActorCluster.Node.Http;

/// <summary>
/// The node's HTTP API on its own Kestrel, without a pipeline: a request goes from the server straight to its handler.
/// The paths are few and fixed, and every microsecond here is paid by every key-value request.
/// </summary>
public sealed partial class HttpApi : IHttpApplication<DefaultHttpContext>, IAsyncDisposable
{
    const int MaxRequestLineBytes = 32 * 1024;

    readonly KestrelServer _server;
    readonly SocketTransportFactory _transport;
    readonly KvHandler _kv;
    readonly AdminHandler _admin;
    readonly ILogger _log;
    bool _started;

    public HttpApi(HttpApiSettings settings, IKvOperations kv, IAdminQueries admin, TimeProvider time, ILoggerFactory logs)
    {
        var deadlines = new Deadlines(time, settings.RequestTimeout);
        _kv = new KvHandler(kv, deadlines);
        _admin = new AdminHandler(settings.NodeName, admin);
        _log = logs.CreateLogger("http");
        _transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), logs);
        _server = new KestrelServer(Options.Create(KestrelOptions(settings.Listen)), _transport, logs);
    }

    /// <summary>Where it listens, with the port that the system chose when 0 was asked for. Known once started.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _server.Features.Get<IServerAddressesFeature>()?.Addresses.Select(a => new Uri(a)) ?? []];

    /// <exception cref="IOException">The address is in use or is not this machine's.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        await _server.StartAsync(this, ct);
        _started = true;
    }

    /// <summary>Takes no new requests and lets those under way finish until <paramref name="ct"/> is cancelled.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (!_started) return;
        _started = false;
        await _server.StopAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _server.Dispose();
    }

    DefaultHttpContext IHttpApplication<DefaultHttpContext>.CreateContext(IFeatureCollection features)
    {
        // Kestrel keeps one context per connection for us.
        if (features is not IHostContextContainer<DefaultHttpContext> connection) return new DefaultHttpContext(features);
        if (connection.HostContext is not { } context) return connection.HostContext = new DefaultHttpContext(features);
        context.Initialize(features);
        return context;
    }

    void IHttpApplication<DefaultHttpContext>.DisposeContext(DefaultHttpContext context, Exception? exception) => context.Uninitialize();

    async Task IHttpApplication<DefaultHttpContext>.ProcessRequestAsync(DefaultHttpContext http)
    {
        try
        {
            await RouteAsync(http);
        }
        catch (BadRequest)
        {
            throw; // Kestrel answers it: the request itself is broken.
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            LogFailed(e, http.Request.Method);
            if (http.Response.HasStarted) throw;
            await JsonResponse.WriteAsync(http, new Failure
            {
                Outcome = HttpMethods.IsGet(http.Request.Method) ? OutcomeKind.NotExecuted : OutcomeKind.Unknown,
                Code = ErrorCode.Internal,
                Message = $"{e.GetType().Name}: {e.Message}",
            });
        }
    }

    ValueTask RouteAsync(DefaultHttpContext http)
    {
        var path = KvPath.PathOf(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        if (path.StartsWith(KvPath.Prefix, StringComparison.Ordinal))
        {
            return KvPath.TryDecode(path[KvPath.Prefix.Length..], out var key) is { } problem
                ? JsonResponse.WriteAsync(http, problem)
                : _kv.HandleAsync(http, key);
        }

        return AdminHandler.Serves(path)
            ? _admin.HandleAsync(http, path)
            : JsonResponse.WriteAsync(http, StatusCodes.Status404NotFound, "NoSuchPath", "there is only /v1/kv/{key}, /v1/members, /v1/groups, /v1/partitions and /health");
    }

    static KestrelServerOptions KestrelOptions(HostPort listen)
    {
        var options = new KestrelServerOptions { AddServerHeader = false, AllowSynchronousIO = false };
        options.Limits.MaxRequestBodySize = null; // RequestBody refuses with a typed error, by the length first
        options.Limits.MaxRequestLineSize = MaxRequestLineBytes; // a key of 1 KiB, percent-encoded, and some more to say "too long" to
        options.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http1);
        if (listen.IsAnyAddress) options.ListenAnyIP(listen.Port);
        else if (IPAddress.TryParse(listen.Host, out var ip)) options.Listen(ip, listen.Port);
        else foreach (var address in Dns.GetHostAddresses(listen.Host).Where(IsUsable).Distinct()) options.Listen(address, listen.Port);
        return options;
    }

    static bool IsUsable(IPAddress address) => address.AddressFamily != AddressFamily.InterNetworkV6 || Socket.OSSupportsIPv6;

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed")]
    partial void LogFailed(Exception error, string method);
}

/// <summary>What the HTTP API needs to know of its node.</summary>
/// <param name="NodeName">Name of the node, for /health.</param>
/// <param name="Listen">Where to listen; port 0 lets the system choose.</param>
/// <param name="RequestTimeout">Deadline of a request that brings none.</param>
public sealed record HttpApiSettings(string NodeName, HostPort Listen, TimeSpan RequestTimeout);
