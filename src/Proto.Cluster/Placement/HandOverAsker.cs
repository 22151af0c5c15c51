using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Placement;

/// <summary>
/// Asks the other members, page by page and again and again, until each has answered for the current topology and
/// <paramref name="isSettled"/> is content. It never gives up on a member of the topology: going on without it could start an activation beside
/// one that still runs. It ends with the next topology, and is then begun anew.
/// </summary>
/// <param name="cluster">This member.</param>
/// <param name="target">Name of the actor that answers on the others.</param>
/// <param name="patience">How long one question may take.</param>
/// <param name="isSettled">Takes in one member's complete answer. False: it shall be asked again.</param>
/// <param name="tellAfter">A member that takes longer is logged.</param>
sealed partial class HandOverAsker(
    Cluster cluster, string target, TimeSpan patience, TimeSpan tellAfter, Func<HandOver.Peer, IReadOnlyList<Activation>, bool> isSettled)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    readonly ILogger _logger = cluster.System.LoggerFactory.CreateLogger<HandOverAsker>();
    readonly TimeProvider _time = cluster.System.Config.TimeProvider;
    PlacementView _view = PlacementView.Empty;
    PlacementView _settled = PlacementView.Empty; // the view before this one, if all had answered in it

    public HandOver State { get; } = new();

    /// <summary>A new topology. A member that is not in it asks nobody: nothing is its own.</summary>
    /// <param name="context">The asking actor's.</param>
    /// <param name="view">The topology.</param>
    /// <param name="asksSelf">Whether this member's own answerer is another actor, and is asked like the others.</param>
    public void Begin(IContext context, PlacementView view, bool asksSelf)
    {
        _settled = State.IsOver ? _view : PlacementView.Empty;
        _view = view;
        var self = cluster.System.Id;
        var asked = view.Find(self) is null ? [] : view.Members.Where(member => asksSelf || !string.Equals(member.Id, self, StringComparison.Ordinal));
        foreach (var peer in State.Begin(asked, member => _settled.Find(member.Id) is null))
        {
            peer.Waiting = _time.GetTimestamp();
            AskFor(context, peer, State.Round, []);
        }
    }

    /// <summary>Why the identity, which is this member's, cannot be started yet; null when it can.</summary>
    /// <param name="identity">The identity.</param>
    /// <param name="ownerIn">Who owns it in a view.</param>
    public ActivationResponse? Refusal(ClusterIdentity identity, Func<PlacementView, ClusterIdentity, Member?> ownerIn)
    {
        if (State.IsOver) return null;
        var wasMine = string.Equals(ownerIn(_settled, identity)?.Id, cluster.System.Id, StringComparison.Ordinal);
        return State.Obstacle(identity, wasMine) is not { } obstacle
            ? null
            : Refused(obstacle.Member, obstacle.Holds);
    }

    public PlacementDiagnostics Diagnostics(int activations) => new($"{_view.Hash:x16}", activations, [.. State.Unsettled.Select(member => member.Address)]);

    ActivationResponse Refused(Member member, bool holds) => ActivationHost.Refused(
        ActivationRefusal.RefusalHandOver,
        holds
            ? $"its former activation at {member.Address} has not ended"
            : $"{member.Address} has not said what it holds in the topology {_view.Hash:x16}");

    void AskFor(IContext context, HandOver.Peer peer, int round, List<Activation> pages)
    {
        var request = new HandOverRequest { TopologyHash = _view.Hash, RequesterId = cluster.System.Id, Offset = pages.Count };
        var asked = cluster.System.Root.RequestAsync<HandOverReport>(
            PID.FromAddress(peer.Member.Address, target), request, cluster.System.Deadlines.After(patience));
        context.ReenterAfter(asked, answer => Answered(context, peer, round, pages, answer));
    }

    void Answered(IContext context, HandOver.Peer peer, int round, List<Activation> pages, Task<HandOverReport> answer)
    {
        var report = answer.IsCompletedSuccessfully ? answer.Result : null;
        var failure = answer.Exception?.GetBaseException().Message;
        if (round != State.Round) return;
        if (report is null || report.TopologyHash != _view.Hash)
        {
            AskLater(context, peer, round, failure ?? "it has another topology");
            return;
        }

        pages.AddRange(report.Held);
        if (report.Held.Count > 0 && pages.Count < report.Total) AskFor(context, peer, round, pages);
        else if (isSettled(peer, pages)) State.Settle(peer);
        else AskLater(context, peer, round, $"it holds {pages.Count} activations that are ending");
    }

    void AskLater(IContext context, HandOver.Peer peer, int round, string reason)
    {
        peer.Attempts++;
        if (_time.GetElapsedTime(peer.Waiting) > tellAfter)
        {
            LogWaiting(_logger, cluster.System.Address, peer.Member.Address, reason);
            peer.Waiting = _time.GetTimestamp();
        }

        var pause = Task.Delay(Backoff.After(peer.Attempts, FirstPause, LongestPause), _time, context.CancellationToken);
        context.ReenterAfter(pause, () =>
        {
            if (round == State.Round) AskFor(context, peer, round, []);
        });
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} waits with new activations for {Member}: {Reason}")]
    static partial void LogWaiting(ILogger logger, string address, string member, string reason);
}
