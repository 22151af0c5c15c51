using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ActorCluster.Client.Membership;
using ActorCluster.Client.Routing;
using ActorCluster.Protocol.Admin;
using Proto;

namespace ActorCluster.Client;

/// <summary>Questions to the admin actor of any node.</summary>
public sealed class AdminClient
{
    /// <summary>The admin actor's name on every node.</summary>
    internal const string Actor = "admin";

    readonly IRootContext _root;
    readonly MemberCalls _calls;
    readonly ActorClusterClientOptions _options;

    internal AdminClient(IRootContext root, MemberCalls calls, ActorClusterClientOptions options)
    {
        _root = root;
        _calls = calls;
        _options = options;
    }

    /// <summary>All members with state and evidence, as one node sees them.</summary>
    /// <exception cref="NotExecutedException">No node answered in time.</exception>
    public Task<Members> MembersAsync(CancellationToken ct = default) => AskAsync<Members>(new GetMembers(), ct);

    /// <summary>The Raft groups of one node: of <paramref name="address"/>, or of any.</summary>
    /// <exception cref="NotExecutedException">It did not answer in time.</exception>
    public Task<Groups> GroupsAsync(string? address = null, CancellationToken ct = default) => AskAsync<Groups>(new GetGroups(), ct, address);

    /// <summary>The partition map with the leaders that one node knows.</summary>
    /// <exception cref="NotExecutedException">No node answered in time.</exception>
    public Task<Partitions> PartitionsAsync(CancellationToken ct = default) => AskAsync<Partitions>(new GetPartitions(), ct);

    /// <summary>Where an identity lives; starts nothing.</summary>
    /// <exception cref="NotExecutedException">No node answered in time.</exception>
    public Task<WhereReply> WhereAsync(string kind, string identity, CancellationToken ct = default) => AskAsync<WhereReply>(new Where { Kind = kind, Identity = identity }, ct);

    /// <summary>
    /// Membership changes as they happen, pushed by a node's admin actor; when that node is lost the watch goes on at
    /// another one, and what changed in between is told then. Ends with <paramref name="ct"/>.
    /// </summary>
    /// <param name="since">Tell also what changed against this list; null: from now on.</param>
    /// <param name="ct">Ends the watch.</param>
    /// <exception cref="NotExecutedException">The reader is too slow: more changes wait than the options allow.</exception>
    public async IAsyncEnumerable<MembershipChanged> WatchAsync(Members? since = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var changes = Channel.CreateBounded<MembershipChanged>(new BoundedChannelOptions(_options.MaxPendingChanges) { SingleReader = true });
        var tracker = new MembershipTracker();
        if (since is not null) tracker.Apply(since);
        var watch = _root.Spawn(Props.FromProducer(() => new WatchActor(_calls.Directory, tracker, changes.Writer)));
        try
        {
            await foreach (var change in changes.Reader.ReadAllAsync(ct)) yield return change;
        }
        finally
        {
            _root.Stop(watch);
        }
    }

    async Task<T> AskAsync<T>(object question, CancellationToken ct, string? address = null)
    {
        using var timeout = new CancellationTokenSource(_options.RequestTimeout, _options.Time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        var calls = address is null ? _calls : _calls.Only(address);
        return await calls.AskAsync<T>(Actor, question, deadline.Token);
    }
}
