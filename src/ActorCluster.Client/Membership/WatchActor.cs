using System.Threading.Channels;
using ActorCluster.Client.Routing;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using Proto;

namespace ActorCluster.Client.Membership;

/// <summary>
/// Subscribed at one node's admin actor. Asks it for the whole list whenever it is silent, which closes gaps and shows
/// that the node lives; moves on to another node when it is gone or does not answer twice.
/// </summary>
sealed class WatchActor(MemberDirectory directory, MembershipTracker tracker, ChannelWriter<MembershipChanged> changes) : IActor
{
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    const int MaxUnanswered = 2;

    PID? _admin;
    int _unanswered;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                Subscribe(context);
                break;
            case ReceiveTimeout when _admin is null:
                Subscribe(context);
                break;
            case ReceiveTimeout when _unanswered >= MaxUnanswered:
                MoveOn(context);
                break;
            case ReceiveTimeout:
                Ask(context);
                break;
            case Terminated { Who: { } who } when _admin is not null && who.Address == _admin.Address && who.Id == _admin.Id:
                MoveOn(context);
                break;
            case Subscribed:
                _unanswered = 0;
                break;
            case Members members:
                _unanswered = 0;
                directory.Learn(members);
                foreach (var change in tracker.Apply(members)) Publish(context, change);
                break;
            case MembershipChanged pushed:
                _unanswered = 0;
                if (tracker.Apply(pushed) is { } news) Publish(context, news);
                break;
            case Stopping:
                Unsubscribe(context);
                changes.TryComplete();
                break;
        }

        return Task.CompletedTask;
    }

    void Subscribe(IContext context)
    {
        _admin = PID.FromAddress(directory.Candidates[0], AdminClient.Actor);
        _unanswered = 0;
        context.Watch(_admin);
        Ask(context);
        context.SetReceiveTimeout(Silence);
    }

    // Subscribing again is harmless, and needed when the node restarted in between.
    void Ask(IContext context)
    {
        _unanswered++;
        context.Request(_admin!, new Subscribe(), context.Self);
        context.Request(_admin!, new GetMembers(), context.Self);
    }

    void MoveOn(IContext context)
    {
        directory.Failed(_admin!.Address);
        Unsubscribe(context);
        context.SetReceiveTimeout(Pause);
    }

    void Unsubscribe(IContext context)
    {
        if (_admin is null) return;
        context.Unwatch(_admin);
        context.Request(_admin, new Unsubscribe(), context.Self);
        _admin = null;
    }

    void Publish(IContext context, MembershipChanged change)
    {
        if (changes.TryWrite(change)) return;
        changes.TryComplete(new NotExecutedException(ErrorCode.Overloaded, "the reader of the watch is too slow: changes were about to be lost"));
        context.Stop(context.Self);
    }
}
