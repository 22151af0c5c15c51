using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Seed;

/// <summary>Asks the seed nodes, one after the other and again, until one of them takes this system in.</summary>
sealed partial class SeedJoiner(Cluster cluster, SeedNodeClusterProviderOptions options, ILogger logger)
{
    readonly TimeProvider _time = cluster.System.Config.TimeProvider;

    /// <summary>The seed nodes' addresses, without this member's own.</summary>
    public async Task<IReadOnlyList<string>> AddressesAsync(CancellationToken stop)
    {
        var all = await options.Discovery.GetAll().OnThisContext().WaitAsync(options.JoinTimeout, _time, stop);
        return
        [
            .. all.Where(seed => !string.Equals(seed.memberId, cluster.System.Id, StringComparison.Ordinal))
                .Select(seed => string.Create(CultureInfo.InvariantCulture, $"{seed.host}:{seed.port}"))
                .Where(address => !string.Equals(address, cluster.System.Address, StringComparison.Ordinal))
                .Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>The member that answered; null when there is nobody to ask.</summary>
    /// <exception cref="SeedJoinException">Nobody answered in time.</exception>
    public async Task<Member?> JoinAsync(object request, CancellationToken stop)
    {
        var begun = _time.GetTimestamp();
        var problems = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            var addresses = await AddressesAsync(stop);
            if (addresses.Count == 0) return null;
            foreach (var address in addresses)
            {
                var (member, problem) = await AskAsync(address, request, stop);
                if (member is not null) return member;
                problems[address] = problem;
                LogNotJoined(logger, address, problem);
            }

            if (_time.GetElapsedTime(begun) + options.JoinRetryInterval >= options.JoinTimeout) throw new SeedJoinException(problems, options.JoinTimeout);
            await Task.Delay(options.JoinRetryInterval, _time, stop);
        }
    }

    /// <summary>The member at the address, or why there is none.</summary>
    public async Task<(Member? Member, string Problem)> AskAsync(string address, object request, CancellationToken stop)
    {
        try
        {
            var response = await cluster.System.Root
                .RequestAsync<JoinResponse>(PID.FromAddress(address, SeedNodeActor.Name), request, options.JoinRequestTimeout)
                .OnThisContext().WaitAsync(stop);
            if (response.Refused.Length > 0) return (null, response.Refused);
            return SeedMembership.IsWellFormed(response.Member) ? (response.Member, "") : (null, "it answered without saying who it is");
        }
        catch (DeadLetterException)
        {
            return (null, "nobody listens there, or it has no seed-node provider");
        }
        catch (TimeoutException)
        {
            return (null, $"no answer within {options.JoinRequestTimeout}");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The seed node {Address} was not joined: {Problem}; trying again")]
    static partial void LogNotJoined(ILogger logger, string address, string problem);
}
