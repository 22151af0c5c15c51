using System.Globalization;
using ActorCluster.Protocol.Membership;
using Microsoft.Extensions.Logging;
using Proto;
using Proto.Cluster;
using Proto.Remote;
using ProtoMember = Proto.Cluster.Member;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// Tells Proto.Cluster who is a member: those that are Up or Leaving and not Unreachable, under the actor system id of
/// their newest incarnation. A member reads its own table; a client asks the members, one after the other.
/// </summary>
public sealed partial class ActorClusterProvider : IClusterProvider
{
    static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);
    static readonly TimeSpan AskPatience = TimeSpan.FromSeconds(2);

    readonly MembershipService? _membership;
    readonly IReadOnlyList<string> _seeds;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stop = new();
    Cluster? _cluster;
    Task _asking = Task.CompletedTask;

    /// <summary>For a member.</summary>
    public ActorClusterProvider(MembershipService membership, TimeProvider time, ILoggerFactory loggers)
        : this(membership, membership.Options.Seeds, time, loggers)
    {
    }

    ActorClusterProvider(MembershipService? membership, IReadOnlyList<string> seeds, TimeProvider time, ILoggerFactory loggers)
    {
        _membership = membership;
        _seeds = seeds;
        _time = time;
        _logger = loggers.CreateLogger<ActorClusterProvider>();
    }

    /// <summary>For a client, which is no member: it asks at these addresses first.</summary>
    public static ActorClusterProvider ForClient(IReadOnlyList<string> seeds, TimeProvider time, ILoggerFactory loggers)
    {
        if (seeds.Count == 0) throw new ArgumentException("a client needs the address of at least one member", nameof(seeds));
        return new ActorClusterProvider(null, seeds, time, loggers);
    }

    public Task StartMemberAsync(Cluster cluster)
    {
        if (_membership is null) throw new InvalidOperationException("this provider was made for a client");
        _cluster = cluster;
        _membership.Changed += Update;
        _membership.Start(cluster.GetClusterKinds());
        Update(_membership.Current);
        return Task.CompletedTask;
    }

    public Task StartClientAsync(Cluster cluster)
    {
        _cluster = cluster;
        cluster.System.Remote().Config.Serialization.RegisterFileDescriptor(MembershipReflection.Descriptor);
        _asking = AskAsync(cluster, _stop.Token);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Stops. Gracefully, the others are told that the node stops; it stays a member all the same, because it may come back
    /// (leaving for good is <see cref="MembershipService.LeaveAsync"/>).
    /// </summary>
    public async Task ShutdownAsync(bool graceful)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _asking.ConfigureAwait(false);
        if (_membership is null) return;
        _membership.Changed -= Update;
        await _membership.StopAsync(graceful).ConfigureAwait(false);
    }

    void Update(MembershipSnapshot snapshot) =>
        _cluster!.MemberList.UpdateClusterTopology([.. snapshot.Members.Values.Where(m => m.IsActive).Select(m => ToMember(m.Node))]);

    async Task AskAsync(Cluster cluster, CancellationToken ct)
    {
        var known = _seeds;
        using var timer = new PeriodicTimer(AskEvery, _time);
        try
        {
            do
            {
                if (await AskOneAfterTheOtherAsync(cluster, known.Concat(_seeds).Distinct(StringComparer.Ordinal), ct).ConfigureAwait(false) is not { } topology) continue;
                known = [.. topology.Active.Select(n => n.Address)];
                cluster.MemberList.UpdateClusterTopology([.. topology.Active.Select(ToMember)]);
            }
            while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            LogClientStopped();
        }
    }

    async Task<Topology?> AskOneAfterTheOtherAsync(Cluster cluster, IEnumerable<string> addresses, CancellationToken ct)
    {
        foreach (var address in addresses)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            using var timer = _time.CreateTimer(static p => ((CancellationTokenSource)p!).Cancel(), patience, AskPatience, Timeout.InfiniteTimeSpan);
            try
            {
                var topology = await cluster.System.Root
                    .RequestAsync<Topology>(PID.FromAddress(address, MembershipActor.Name), new GetTopology(), patience.Token).ConfigureAwait(false);
                if (topology.Active.Count > 0) return topology;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is OperationCanceledException or TimeoutException or DeadLetterException)
            {
                LogNoAnswer(address, e.Message);
            }
        }

        return null;
    }

    static ProtoMember ToMember(NodeInfo node)
    {
        var colon = node.Address.LastIndexOf(':');
        var member = new ProtoMember
        {
            Id = node.SystemId,
            Host = node.Address[..colon],
            Port = int.Parse(node.Address.AsSpan(colon + 1), CultureInfo.InvariantCulture),
        };
        member.Kinds.Add(node.Kinds);
        return member;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Address} did not tell the topology: {Problem}")]
    partial void LogNoAnswer(string address, string problem);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The client stopped asking for the topology")]
    partial void LogClientStopped();
}
