using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Proto.Remote.Transport;

public sealed record GrpcServerOptions
{
    public required IPEndPoint Endpoint { get; init; }
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;
    public int StreamWindowBytes { get; init; } = 2 * 1024 * 1024;
    public int ConnectionWindowBytes { get; init; } = 4 * 1024 * 1024;
    public int MaxConnections { get; init; } = 4096;
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(3);
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(10);
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(2);
    public Action<ListenOptions>? ConfigureListen { get; init; }
}

/// <summary>
/// gRPC over HTTP/2, with prior knowledge (h2c) unless the listener is configured for TLS, on Kestrel alone: no host, no configuration from the environment, no middleware.
/// </summary>
public sealed partial class GrpcServer : ITransportServer
{
    readonly KestrelServer _kestrel;
    readonly ServiceProvider? _services;
    readonly TimeSpan _shutdownTimeout;

    GrpcServer(KestrelServer kestrel, ServiceProvider? services, IPEndPoint endpoint, TimeSpan shutdownTimeout)
    {
        _kestrel = kestrel;
        _services = services;
        _shutdownTimeout = shutdownTimeout;
        Endpoint = endpoint;
    }

    /// <summary>Where the server listens; the port that the system chose when port 0 was asked for.</summary>
    public IPEndPoint Endpoint { get; }

    public int Port => Endpoint.Port;

    /// <summary>Binds and serves. Methods are named as in the request path: <c>/package.Service/Method</c>.</summary>
    public static async Task<GrpcServer> StartAsync(
        GrpcServerOptions options,
        IReadOnlyDictionary<string, GrpcHandler> methods,
        ILoggerFactory loggerFactory,
        CancellationToken cancellationToken)
    {
        ListenOptions? listening = null;
        // Only what configures a listener, TLS above all, looks services up.
        var services = options.ConfigureListen is null ? null : KestrelServices(loggerFactory);
        var kestrelOptions = new KestrelServerOptions { AddServerHeader = false, AllowSynchronousIO = false, ApplicationServices = services! };
        var limits = kestrelOptions.Limits;
        limits.MaxConcurrentConnections = options.MaxConnections;
        // A stream lives as long as both nodes do and may be silent for hours: neither size nor rate of a body says anything.
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxResponseBufferSize = 1024 * 1024;
        limits.Http2.InitialStreamWindowSize = options.StreamWindowBytes;
        limits.Http2.InitialConnectionWindowSize = options.ConnectionWindowBytes;
        limits.Http2.KeepAlivePingDelay = options.KeepAlivePingDelay;
        limits.Http2.KeepAlivePingTimeout = options.KeepAlivePingTimeout;
        kestrelOptions.Listen(options.Endpoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            options.ConfigureListen?.Invoke(listen);
            listening = listen;
        });

        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { NoDelay = true }), loggerFactory);
        var kestrel = new KestrelServer(Options.Create(kestrelOptions), sockets, loggerFactory);
        try
        {
            await kestrel.StartAsync(new Application(methods, options.MaxMessageBytes, loggerFactory.CreateLogger<GrpcServer>()), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            kestrel.Dispose();
            if (services is not null) await services.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return new GrpcServer(kestrel, services, listening!.IPEndPoint!, options.ShutdownTimeout);
    }

    /// <summary>Stops listening and ends the connections; those that do not end by themselves in time are aborted.</summary>
    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(_shutdownTimeout);
        await _kestrel.StopAsync(deadline.Token).ConfigureAwait(false);
        _kestrel.Dispose();
        if (_services is not null) await _services.DisposeAsync().ConfigureAwait(false);
    }

    static ServiceProvider KestrelServices(ILoggerFactory loggerFactory)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.Services.AddSingleton(loggerFactory);
        return builder.Services.BuildServiceProvider();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A call of {Method} failed")]
    static partial void LogFailed(ILogger logger, Exception failure, string method);

    sealed class Application(IReadOnlyDictionary<string, GrpcHandler> methods, int maxMessageBytes, ILogger logger) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception) { }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            if (!HttpMethods.IsPost(context.Request.Method))
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                return;
            }

            if (!GrpcFrame.IsContentType(context.Request.ContentType))
            {
                context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
                return;
            }

            context.Response.ContentType = GrpcFrame.ContentType;
            context.Response.Headers["grpc-accept-encoding"] = "identity";
            var status = await RunAsync(context).ConfigureAwait(false);
            if (context.RequestAborted.IsCancellationRequested) return;
            context.Response.AppendTrailer("grpc-status", ((int)status.Code).ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (status.Message.Length > 0) context.Response.AppendTrailer("grpc-message", GrpcStatus.EncodeMessage(status.Message));
        }

        async Task<GrpcStatus> RunAsync(HttpContext context)
        {
            if (!methods.TryGetValue(context.Request.Path.Value ?? "", out var handler))
                return new GrpcStatus(GrpcStatusCode.Unimplemented, $"unknown method {context.Request.Path.Value}");
            GrpcServerCall? call = null;
            try
            {
                call = new GrpcServerCall(context, maxMessageBytes);
                await handler(call).ConfigureAwait(false);
                return GrpcStatus.Ok;
            }
            catch (GrpcException refused)
            {
                return refused.Status;
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
            {
                return new GrpcStatus(GrpcStatusCode.Cancelled, "the caller is gone");
            }
            catch (Exception failure)
            {
                LogFailed(logger, failure, context.Request.Path);
                return new GrpcStatus(GrpcStatusCode.Internal, "the call failed here; the log says why");
            }
            finally
            {
                if (call is not null) await call.CloseAsync().ConfigureAwait(false);
            }
        }
    }
}
