using System.Collections.Immutable;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Proto.Remote;

public abstract record RemoteConfigBase
{
    public const string AllInterfaces = "0.0.0.0";
    public const string AnyHost = "0.0.0.0";
    public const string Localhost = "127.0.0.1";
    public const int AnyFreePort = 0;

    protected RemoteConfigBase(string host, int port)
    {
        Host = host;
        Port = port;
    }

    /// <summary>Where to listen: an address or a name of this machine.</summary>
    public string Host { get; init; }

    /// <summary>Where to listen. 0 lets the operating system choose; the actor system's address has the chosen one.</summary>
    public int Port { get; init; }

    /// <summary>Actors that other systems may spawn here, by kind.</summary>
    public ImmutableDictionary<string, Props> RemoteKinds { get; init; } = ImmutableDictionary.Create<string, Props>(StringComparer.Ordinal);

    /// <summary>
    /// The call that opens a stream to another system. Its headers are sent along. A deadline or a token that can be cancelled is refused: the
    /// stream lives as long as both systems do.
    /// </summary>
    public CallOptions CallOptions { get; init; }

    /// <summary>The host in this system's PIDs, when it is not <see cref="Host"/>. An IPv6 address may stand with or without brackets.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>The port in this system's PIDs, when it is not the one that is listened on.</summary>
    public int? AdvertisedPort { get; init; }

    /// <summary>
    /// Whether a stream may be opened here; asked once per stream, before anything on it is delivered. Refused: the stream ends with
    /// PERMISSION_DENIED. Null: everybody who can connect may. See <see cref="RemoteConfigExtensions.WithConnectionFilter"/>.
    /// </summary>
    public Func<IncomingConnection, bool>? ConnectionFilter { get; init; }

    /// <summary>
    /// Whether a client's message is delivered; asked for each, before it is deserialised. A refused one's requester is told at once. System
    /// messages of clients are refused whatever it says. See <see cref="RemoteConfigExtensions.WithClientFilter"/>.
    /// </summary>
    public Func<ClientMessage, bool> ClientFilter { get; init; } = ClientAccess.Default;

    public LogLevel DeserializationErrorLogLevel { get; init; } = LogLevel.Error;

    public EndpointWriterOptions EndpointWriterOptions { get; init; } = new();

    public Serialization Serialization { get; init; } = new();

    /// <summary>
    /// How long the endpoint of a lost peer is kept without traffic before it is forgotten. It delays nothing: the next message
    /// to the address tries a new connection at once.
    /// </summary>
    public TimeSpan? WaitAfterEndpointTerminationTimeSpan { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Serves the calls <c>ListProcesses</c> and <c>GetProcessDiagnostics</c>, to anybody who can connect.</summary>
    public bool RemoteDiagnostics { get; init; }

    internal virtual int MaxSentFrameBytes => EndpointWriterOptions.MaxFrameBytes;

    /// <summary>Largest frame that comes back over a stream opened here.</summary>
    internal virtual int MaxReceivedFrameBytes => EndpointWriterOptions.MaxFrameBytes;
}
