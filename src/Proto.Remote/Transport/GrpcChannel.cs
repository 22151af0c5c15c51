using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Grpc.Core;
using Proto.Remote.GrpcNet;

namespace Proto.Remote.Transport;

public sealed record GrpcChannelSettings
{
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;
    public int StreamWindowBytes { get; init; } = 2 * 1024 * 1024;
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>HTTP/2 pings find a peer that vanished without closing its connection (half-open): silence of delay + timeout ends it.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(3);
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Sent with each call.</summary>
    public Metadata? Headers { get; init; }

    /// <summary>Used instead of an own handler, and not disposed.</summary>
    public HttpMessageHandler? Handler { get; init; }
}

/// <summary>
/// One HTTP/2 connection (h2c with prior knowledge, or TLS) to one server; disposing it closes the connection, unless a handler was given.
/// </summary>
public sealed class GrpcChannel : ITransportChannel
{
    readonly HttpMessageInvoker _http;
    readonly Uri _address;
    readonly GrpcChannelSettings _settings;
    readonly string? _peerName;
    string? _refusedCertificate;

    internal GrpcChannel(Uri address, GrpcChannelSettings settings, TlsCaller? tls)
    {
        _address = address;
        _settings = settings;
        _peerName = tls?.PeerName;
        _http = settings.Handler is { } given
            ? new HttpMessageInvoker(given, disposeHandler: false)
            : new HttpMessageInvoker(OwnHandler(settings, tls?.CallTo(reason => _refusedCertificate = reason)));
    }

    public GrpcChannel(Uri address, GrpcChannelSettings settings) : this(address, settings, null) { }

    /// <summary>Opens a call of <paramref name="method"/> (<c>/package.Service/Method</c>) and sends its first frames with the headers.</summary>
    /// <exception cref="HttpRequestException">Nobody could be reached.</exception>
    /// <exception cref="GrpcException">The server answered something else than a gRPC stream.</exception>
    public async Task<IClientCall> OpenAsync(string method, ReadOnlyMemory<byte> firstFrames, CancellationToken cancellationToken)
    {
        var content = new DuplexContent(firstFrames);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_address, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        // The handler checks the certificate against this name.
        if (_peerName is not null) request.Headers.Host = $"{_peerName}:{_address.Port}";
        CallHeaders.Write(_settings.Headers, request.Headers);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            content.End();
            if (ConnectFailure.Explain(failure, _address, _refusedCertificate, cancellationToken) is { } explained) throw explained;
            throw;
        }

        try
        {
            if (response.StatusCode != HttpStatusCode.OK)
                throw new GrpcException(GrpcStatusCode.Unavailable, $"{_address} answered HTTP {(int)response.StatusCode} to {method}");
            if (GrpcDuplexCall.StatusOf(response.Headers) is { } refused) throw new GrpcException(refused);
            var responseStream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            return new GrpcDuplexCall(content, response, new GrpcFrameReader(responseStream, _settings.MaxMessageBytes));
        }
        catch
        {
            content.End();
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    static SocketsHttpHandler OwnHandler(GrpcChannelSettings settings, SslClientAuthenticationOptions? tls)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = false,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            ConnectTimeout = settings.ConnectTimeout,
            InitialHttp2StreamWindowSize = settings.StreamWindowBytes,
            KeepAlivePingDelay = settings.KeepAlivePingDelay,
            KeepAlivePingTimeout = settings.KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        if (tls is not null) handler.SslOptions = tls;
        return handler;
    }
}
