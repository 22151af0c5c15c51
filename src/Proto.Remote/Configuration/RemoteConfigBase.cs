using System.Collections.Immutable;
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

    /// <summary>0 lets the system choose; the actor system's address has the chosen one.</summary>
    public int Port { get; init; }

    /// <summary>Actors that other systems may spawn here, by kind.</summary>
    public ImmutableDictionary<string, Props> RemoteKinds { get; init; } = ImmutableDictionary.Create<string, Props>(StringComparer.Ordinal);

    /// <summary>The host in this system's PIDs, when it is not <see cref="Host"/>.</summary>
    public string? AdvertisedHost { get; init; }

    public int? AdvertisedPort { get; init; }

    public LogLevel DeserializationErrorLogLevel { get; init; } = LogLevel.Error;

    public EndpointWriterOptions EndpointWriterOptions { get; init; } = new();

    public Serialization Serialization { get; init; } = new();

    /// <summary>
    /// How long the endpoint of a lost peer is kept without traffic before it is forgotten. It delays nothing: the next message
    /// to the address tries a new connection at once.
    /// </summary>
    public TimeSpan? WaitAfterEndpointTerminationTimeSpan { get; init; } = TimeSpan.FromSeconds(3);

    public bool RemoteDiagnostics { get; init; }
}
