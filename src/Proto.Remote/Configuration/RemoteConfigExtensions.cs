using System.Text.Json;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Proto.Remote;

public static class RemoteConfigExtensions
{
    /// <summary>Headers for the calls that open streams to other systems, for what stands between them (a proxy, a service mesh) or a peer's connection filter.</summary>
    public static TRemoteConfig WithCallOptions<TRemoteConfig>(this TRemoteConfig config, CallOptions options)
        where TRemoteConfig : RemoteConfigBase => config with { CallOptions = options };

    public static TRemoteConfig WithAdvertisedHost<TRemoteConfig>(this TRemoteConfig config, string? advertisedHost)
        where TRemoteConfig : RemoteConfigBase => config with { AdvertisedHost = advertisedHost };

    public static TRemoteConfig WithAdvertisedPort<TRemoteConfig>(this TRemoteConfig config, int? advertisedPort)
        where TRemoteConfig : RemoteConfigBase => config with { AdvertisedPort = advertisedPort };

    public static TRemoteConfig WithEndpointWriterBatchSize<TRemoteConfig>(this TRemoteConfig config, int endpointWriterBatchSize)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { EndpointWriterBatchSize = endpointWriterBatchSize } };

    public static TRemoteConfig WithEndpointWriterMaxRetries<TRemoteConfig>(this TRemoteConfig config, int endpointWriterMaxRetries)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { MaxRetries = endpointWriterMaxRetries } };

    public static TRemoteConfig WithEndpointWriterRetryTimeSpan<TRemoteConfig>(this TRemoteConfig config, TimeSpan endpointWriterRetryTimeSpan)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { RetryTimeSpan = endpointWriterRetryTimeSpan } };

    public static TRemoteConfig WithEndpointWriterRetryBackOff<TRemoteConfig>(this TRemoteConfig config, TimeSpan endpointWriterRetryBackoff)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { RetryBackOff = endpointWriterRetryBackoff } };

    /// <summary>Longest pause between two attempts to reach an address that does not answer.</summary>
    public static TRemoteConfig WithEndpointWriterMaxRetryBackOff<TRemoteConfig>(this TRemoteConfig config, TimeSpan maxRetryBackOff)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { MaxRetryBackOff = maxRetryBackOff } };

    /// <summary>Largest serialised message in bytes, sent or received. Between two nodes the lower limit holds.</summary>
    public static TRemoteConfig WithMaxMessageBytes<TRemoteConfig>(this TRemoteConfig config, int maxMessageBytes)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { MaxMessageBytes = maxMessageBytes } };

    /// <summary>Most messages waiting for one address.</summary>
    public static TRemoteConfig WithMaxQueuedMessages<TRemoteConfig>(this TRemoteConfig config, int maxQueuedMessages)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { MaxQueuedMessages = maxQueuedMessages } };

    /// <summary>Most bytes waiting for one address.</summary>
    public static TRemoteConfig WithMaxQueuedBytes<TRemoteConfig>(this TRemoteConfig config, long maxQueuedBytes)
        where TRemoteConfig : RemoteConfigBase =>
        config with { EndpointWriterOptions = config.EndpointWriterOptions with { MaxQueuedBytes = maxQueuedBytes } };

    public static TRemoteConfig WithProtoMessages<TRemoteConfig>(this TRemoteConfig config, params FileDescriptor[] fileDescriptors)
        where TRemoteConfig : RemoteConfigBase
    {
        foreach (var file in fileDescriptors) config.Serialization.RegisterFileDescriptor(file);
        return config;
    }

    /// <summary>Lets these classes or records travel as JSON; types that nobody registered never do.</summary>
    public static TRemoteConfig WithJsonTypes<TRemoteConfig>(this TRemoteConfig config, params Type[] types)
        where TRemoteConfig : RemoteConfigBase
    {
        foreach (var type in types) config.Serialization.RegisterJsonType(type);
        return config;
    }

    public static TRemoteConfig WithRemoteKind<TRemoteConfig>(this TRemoteConfig config, string kind, Props prop)
        where TRemoteConfig : RemoteConfigBase => config with { RemoteKinds = config.RemoteKinds.SetItem(kind, prop) };

    public static TRemoteConfig WithRemoteKinds<TRemoteConfig>(this TRemoteConfig config, params (string kind, Props prop)[] knownKinds)
        where TRemoteConfig : RemoteConfigBase
    {
        var kinds = config.RemoteKinds;
        foreach (var (kind, prop) in knownKinds) kinds = kinds.SetItem(kind, prop);
        return config with { RemoteKinds = kinds };
    }

    public static TRemoteConfig WithSerializer<TRemoteConfig>(this TRemoteConfig config, int serializerId, int priority, ISerializer serializer)
        where TRemoteConfig : RemoteConfigBase
    {
        config.Serialization.RegisterSerializer(serializerId, priority, serializer);
        return config;
    }

    public static TRemoteConfig WithJsonSerializerOptions<TRemoteConfig>(this TRemoteConfig config, JsonSerializerOptions options)
        where TRemoteConfig : RemoteConfigBase
    {
        config.Serialization.JsonSerializerOptions = options;
        return config;
    }

    public static TRemoteConfig WithLogLevelForDeserializationErrors<TRemoteConfig>(this TRemoteConfig config, LogLevel level)
        where TRemoteConfig : RemoteConfigBase => config with { DeserializationErrorLogLevel = level };

    public static TRemoteConfig WithRemoteDiagnostics<TRemoteConfig>(this TRemoteConfig config, bool enabled)
        where TRemoteConfig : RemoteConfigBase => config with { RemoteDiagnostics = enabled };

    /// <summary>Decides who may open a stream here: by certificate, by call header, by what the caller says it is.</summary>
    public static TRemoteConfig WithConnectionFilter<TRemoteConfig>(this TRemoteConfig config, Func<IncomingConnection, bool> filter)
        where TRemoteConfig : RemoteConfigBase => config with { ConnectionFilter = filter };

    /// <summary>
    /// Decides which actors and message types clients reach, instead of <see cref="ClientAccess.Default"/>. To narrow the default:
    /// <c>WithClientFilter(message =&gt; ClientAccess.Default(message) &amp;&amp; …)</c>.
    /// </summary>
    public static TRemoteConfig WithClientFilter<TRemoteConfig>(this TRemoteConfig config, Func<ClientMessage, bool> filter)
        where TRemoteConfig : RemoteConfigBase => config with { ClientFilter = filter };
}
