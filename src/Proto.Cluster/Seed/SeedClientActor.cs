using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Seed;

/// <summary>
/// The actor <c>$client_seed</c> of a client: takes the topology from the member that it asked, and asks regularly, so that the member keeps telling it;
/// when that one does not answer any more, another one.
/// </summary>
sealed partial class SeedClientActor(Cluster cluster, SeedNodeClusterProviderOptions options, SeedJoiner joiner, ILogger logger) : IActor
{
    public const string Name = "$client_seed";

    readonly CancellationTokenSource _stop = new();
    ITimer? _renewal;
    bool _asking;

    sealed record Renew;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                var (root, self) = (context.System.Root, context.Self);
                _renewal = cluster.System.Config.TimeProvider.CreateTimer(
                    _ => root.Send(self, new Renew()), null, options.ClientRenewalInterval, options.ClientRenewalInterval);
                break;
            case Restarting or Stopping:
                _stop.Cancel();
                _renewal?.Dispose();
                break;
            case ClusterTopology topology when topology.Members.Count > 0:
                cluster.MemberList.UpdateClusterTopology(topology.Members);
                break;
            case Renew when !_asking:
                _asking = true;
                context.ReenterAfter(RenewAsync(), OnRenewed);
                break;
        }

        return Task.CompletedTask;
    }

    void OnRenewed(Task<bool> renewal)
    {
        _asking = false;
        if (renewal.IsFaulted) LogDiscoveryFailed(logger, renewal.Exception.GetBaseException());
        else if (renewal is { IsCompletedSuccessfully: true, Result: false }) LogNobodyAnswered(logger);
    }

    /// <summary>Asks the members that are known, then the seed nodes, until one answers.</summary>
    async Task<bool> RenewAsync()
    {
        string[] members = [.. cluster.MemberList.GetAllMembers().Select(member => member.Address)];
        // A discovery that fails keeps nobody from the members.
        return await AnyAnswersAsync(members) || await AnyAnswersAsync((await joiner.AddressesAsync(_stop.Token)).Except(members, StringComparer.Ordinal));
    }

    async Task<bool> AnyAnswersAsync(IEnumerable<string> addresses)
    {
        foreach (var address in addresses)
        {
            var (member, _) = await joiner.AskAsync(address, new JoinAsClientRequest { SystemId = cluster.System.Id }, _stop.Token);
            if (member is not null) return true;
        }

        return false;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No member that is known told the topology to this client, and the discovery failed; trying again")]
    static partial void LogDiscoveryFailed(ILogger logger, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No member told the topology to this client; trying again")]
    static partial void LogNobodyAnswered(ILogger logger);
}
