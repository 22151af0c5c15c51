using Grpc.Net.Client;

namespace Proto.Remote.GrpcNet;

public static class GrpcNetRemoteConfigExtensions
{
    public static TRemoteConfig WithChannelOptions<TRemoteConfig>(this TRemoteConfig config, GrpcChannelOptions options)
        where TRemoteConfig : GrpcNetRemoteConfig => config with { ChannelOptions = options };

    public static TRemoteConfig WithUriChooser<TRemoteConfig>(this TRemoteConfig config, Func<IEnumerable<Uri>?, Uri?> uriChooser)
        where TRemoteConfig : GrpcNetRemoteConfig => config with { UriChooser = uriChooser };
}
