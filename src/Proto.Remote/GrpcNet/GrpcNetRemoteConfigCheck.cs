using System.Net;
using Grpc.Core;
using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>Refuses, before anything starts, what the transport could not honour.</summary>
static class GrpcNetRemoteConfigCheck
{
    /// <exception cref="ArgumentException">Names the setting, its value and what would be right.</exception>
    public static void ThrowIfWrong(this GrpcNetRemoteConfig config, bool listens)
    {
        CheckPort("Port", config.Port, 0);
        if (config.AdvertisedPort is { } advertised) CheckPort("AdvertisedPort", advertised, 1);
        Check(config.Host.Length > 0, "Host is empty");
        Check(config.AdvertisedHost is not "", "AdvertisedHost is empty: leave it null to advertise Host");
        Check(config.AdvertisedHost is null || !HostName.IsWildcard(config.AdvertisedHost), $"AdvertisedHost is {config.AdvertisedHost}, which nobody can call");
        if (config.WaitAfterEndpointTerminationTimeSpan is { } kept) CheckAtLeast("WaitAfterEndpointTerminationTimeSpan", kept, TimeSpan.Zero);
        CheckWriter(config.EndpointWriterOptions);
        CheckCall(config.CallOptions);
        CheckChannel(config);
        config.Tls?.ThrowIfWrong(listens);
        Check(config.Tls is null || config.UseHttps, "Tls is set and UseHttps is off: use WithTls, which sets both");
        Check(
            !listens || !config.UseHttps || config.Tls is not null || config.ConfigureKestrel is not null,
            "UseHttps is on and the listener has no certificate: use WithTls, or ConfigureKestrel = listen => listen.UseHttps(certificate)");
    }

    static void CheckWriter(EndpointWriterOptions options)
    {
        CheckAtLeast("EndpointWriterOptions.EndpointWriterBatchSize", options.EndpointWriterBatchSize, 1);
        CheckAtLeast("EndpointWriterOptions.MaxBatchBytes", options.MaxBatchBytes, 1);
        CheckAtLeast("EndpointWriterOptions.MaxRetries", options.MaxRetries, 0);
        CheckAtLeast("EndpointWriterOptions.MaxQueuedMessages", options.MaxQueuedMessages, 1);
        CheckAtLeast("EndpointWriterOptions.MaxQueuedBytes", options.MaxQueuedBytes, 1);
        CheckAtLeast("EndpointWriterOptions.MaxMessageBytes", options.MaxMessageBytes, 1024);
        Check(
            options.MaxMessageBytes <= int.MaxValue / 4,
            $"EndpointWriterOptions.MaxMessageBytes is {options.MaxMessageBytes}: at most {int.MaxValue / 4}, since a frame may be twice as large");
        CheckAtLeast("EndpointWriterOptions.RetryBackOff", options.RetryBackOff, TimeSpan.Zero);
        CheckAtLeast("EndpointWriterOptions.MaxRetryBackOff", options.MaxRetryBackOff, TimeSpan.Zero);
        CheckAtLeast("EndpointWriterOptions.ConnectTimeout", options.ConnectTimeout, TimeSpan.FromMilliseconds(1));
        CheckAtLeast("EndpointWriterOptions.KeepAlivePingDelay", options.KeepAlivePingDelay, TimeSpan.FromSeconds(1));
        CheckAtLeast("EndpointWriterOptions.KeepAlivePingTimeout", options.KeepAlivePingTimeout, TimeSpan.FromSeconds(1));
    }

    static void CheckCall(CallOptions call)
    {
        Check(call.Deadline is null, "CallOptions.Deadline is set: a stream between systems has no deadline. EndpointWriterOptions.ConnectTimeout bounds opening it");
        Check(!call.CancellationToken.CanBeCanceled, "CallOptions.CancellationToken is set: ShutdownAsync ends the streams");
        foreach (var header in call.Headers ?? Metadata.Empty)
        {
            Check(!CallHeaders.IsTransport(header.Key), $"CallOptions.Headers has '{header.Key}', which is the transport's own");
        }
    }

    static void CheckChannel(GrpcNetRemoteConfig config)
    {
        var channel = config.ChannelOptions;
        Check(
            channel.Credentials is null || ReferenceEquals(channel.Credentials, config.UseHttps ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure),
            $"ChannelOptions.Credentials contradict UseHttps, which is {config.UseHttps}");
        Check(
            channel.HttpHandler is null || config.Tls is null,
            "ChannelOptions.HttpHandler and Tls are both set: TLS of a handler of your own is set on that handler, and UseHttps says that it has it");
        Check(!channel.DisposeHttpClient || channel.HttpHandler is not null, "ChannelOptions.DisposeHttpClient is on and there is no HttpHandler to dispose");
        if (channel.MaxReceiveMessageSize is { } receive) CheckAtLeast("ChannelOptions.MaxReceiveMessageSize", receive, 1024);
        if (channel.MaxSendMessageSize is { } send) CheckAtLeast("ChannelOptions.MaxSendMessageSize", send, 1024);
    }

    static void CheckPort(string name, int port, int lowest) =>
        Check(port >= lowest && port <= IPEndPoint.MaxPort, $"{name} is {port}: a port is {lowest} to {IPEndPoint.MaxPort}");

    static void CheckAtLeast<T>(string name, T value, T least) where T : IComparable<T> =>
        Check(value.CompareTo(least) >= 0, $"{name} is {value}: at least {least}");

    static void Check(bool isRight, string what)
    {
        if (!isRight) throw new ArgumentException(what);
    }
}
