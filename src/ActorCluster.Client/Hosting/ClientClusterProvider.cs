using ActorCluster.Client.Routing;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;
using Microsoft.Extensions.Logging;
using Proto.Cluster;
using Member = Proto.Cluster.Member;

namespace ActorCluster.Client.Hosting;

/// <summary>
/// A client's view of who is in the cluster: read from any member every few seconds. A client is no member; it neither
/// gossips nor votes.
/// </summary>
sealed partial class ClientClusterProvider(MemberCalls calls, TimeSpan timeout, TimeProvider time, ILogger log) : IClusterProvider
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    readonly CancellationTokenSource _stop = new();
    Task _refreshing = Task.CompletedTask;

    public Task StartMemberAsync(Cluster cluster) => throw new NotSupportedException("This is a client: it cannot become a member.");

    public async Task StartClientAsync(Cluster cluster)
    {
        await RefreshAsync(cluster, _stop.Token);
        _refreshing = KeepRefreshingAsync(cluster);
    }

    public async Task ShutdownAsync(bool graceful)
    {
        await _stop.CancelAsync();
        await _refreshing;
    }

    async Task KeepRefreshingAsync(Cluster cluster)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, time, _stop.Token);
                try
                {
                    await RefreshAsync(cluster, _stop.Token);
                }
                catch (NotExecutedException e) when (!_stop.IsCancellationRequested)
                {
                    LogNobodyAnswered(e.Message); // requests say it to their callers; here it is tried again
                }
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or NotExecutedException)
        {
            return;
        }
    }

    async Task RefreshAsync(Cluster cluster, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        var members = await calls.AskAsync<Members>(AdminClient.Actor, new GetMembers(), either.Token);
        calls.Directory.Learn(members);
        var topology = new List<Member>();
        foreach (var m in members.Members_)
        {
            if (m.State == MemberState.Removed || !TrySplit(m.Address, out var host, out var port)) continue;
            topology.Add(new Member { Id = m.SystemId.Length > 0 ? m.SystemId : new NodeUid(m.Uid).ToString(), Host = host, Port = port, Kinds = { m.Kinds } });
        }

        cluster.MemberList.UpdateClusterTopology(topology);
    }

    static bool TrySplit(string address, out string host, out int port)
    {
        var colon = address.LastIndexOf(':');
        host = colon > 0 ? address[..colon] : "";
        port = 0;
        return colon > 0 && int.TryParse(address.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The list of members was not refreshed: {Reason}")]
    partial void LogNobodyAnswered(string reason);
}
