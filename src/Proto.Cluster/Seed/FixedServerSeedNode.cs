namespace Proto.Cluster.Seed;

/// <summary>Seed nodes whose addresses are known beforehand.</summary>
public static class FixedServerSeedNode
{
    /// <summary>A member (or a client) that joins the cluster through the member at this address. The start fails when nobody answers there in time.</summary>
    /// <exception cref="ClusterConfigException">This is no address.</exception>
    public static SeedNodeClusterProvider JoinSeedNode(string host, int port)
    {
        SettingLimits.Name(nameof(host), host, 255);
        SettingLimits.Number(nameof(port), port, 1, ushort.MaxValue);
        return new SeedNodeClusterProvider(new SeedNodeClusterProviderOptions(new Addresses(("", host, port))) { StartAloneWhenNobodyAnswers = false });
    }

    /// <summary>The first member: it joins nobody, and waits for others.</summary>
    public static SeedNodeClusterProvider StartSeedNode() => new(new SeedNodeClusterProviderOptions(new Addresses()));

    sealed class Addresses(params (string, string, int)[] addresses) : ISeedNodeDiscovery
    {
        public Task Register(string memberId, string host, int port) => Task.CompletedTask;

        public Task Remove(string memberId) => Task.CompletedTask;

        public Task<(string memberId, string host, int port)[]> GetAll() => Task.FromResult(addresses);
    }
}
