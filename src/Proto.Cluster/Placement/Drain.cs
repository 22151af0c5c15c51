using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Placement;

/// <summary>Order to a host of activations to start nothing more and to end what runs; answered with itself when nothing runs any more.</summary>
sealed class Drain
{
    public static readonly Drain Instance = new();
}

/// <summary>Takes a host of activations down.</summary>
sealed partial class Draining(Cluster cluster, string hostName)
{
    static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(1);

    readonly ILogger _logger = cluster.System.LoggerFactory.CreateLogger<Draining>();

    /// <summary>Ends the host's activations after the messages that they already have, then the host. What takes too long is stopped with the host.</summary>
    public async Task RunAsync(PID host)
    {
        var root = cluster.System.Root;
        try
        {
            await root.RequestAsync<Drain>(host, Drain.Instance, cluster.System.Deadlines.After(cluster.Config.ShutdownStepTimeout / 2));
        }
        catch (Exception late) when (late is TimeoutException or DeadLetterException)
        {
            LogNotDrained(_logger, host.ToDiagnosticString(), late.Message);
        }

        await root.StopAsync(host);
        await Task.WhenAll(cluster.MemberList.GetOtherMembers().Select(FarewellAsync));
    }

    /// <summary>
    /// Messages between two systems keep their order. When the other answers this one, it has the refusals and dead letters sent before,
    /// and its requests do not end with a lost connection, which would leave open whether they were executed.
    /// </summary>
    async Task FarewellAsync(Member member)
    {
        try
        {
            await cluster.System.Root.RequestAsync<Touched>(
                PID.FromAddress(member.Address, hostName), Touch.Instance, cluster.System.Deadlines.After(LongestFarewell));
        }
        catch (Exception gone) when (gone is TimeoutException or DeadLetterException)
        {
            LogNoFarewell(_logger, member.Address, gone.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The activations of {Host} did not end in time and are stopped with messages in their queues: {Reason}")]
    static partial void LogNotDrained(ILogger logger, string host, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Member} did not confirm this member's last messages: {Reason}")]
    static partial void LogNoFarewell(ILogger logger, string member, string reason);
}
