using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Settings of the connections that a remote opens to other systems.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>
    /// Null: whatever the remote's <c>UseHttps</c> says. A value that contradicts it is refused when the remote is made.
    /// </summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>The largest frame that is taken from a peer over a connection opened here, in bytes; null leaves the remote's own limit.</summary>
    public int? MaxReceiveMessageSize { get; set; }

    /// <summary>The largest frame that is sent, in bytes; null leaves the remote's own limit. A message that fits no such frame becomes a dead letter.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>
    /// Opens the connections instead of the remote's own handler, for all addresses. Connect timeout, keep-alive pings and TLS are then
    /// that handler's; a handler without pings finds a vanished peer only when the operating system does.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Disposes <see cref="HttpHandler"/> when the remote shuts down.</summary>
    public bool DisposeHttpClient { get; set; }
}
