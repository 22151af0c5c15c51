using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Admin;

/// <summary>
/// The actor named <c>admin</c> on every node: answers what this node knows of the cluster, and pushes membership
/// changes to subscribers (admin.proto).
/// </summary>
sealed class AdminActor(Func<ClusterPicture> picture, TimeProvider time) : IActor
{
    public const string Name = "admin";

    /// <summary>Beyond this a new subscriber is refused, so that a client that subscribes in a loop costs a bounded amount.</summary>
    public const int MaxSubscribers = 1024;

    static readonly TimeSpan WhereTimeout = TimeSpan.FromSeconds(5);

    readonly List<PID> _subscribers = [];
    EventStreamSubscription<object>? _events;

    public Task ReceiveAsync(IContext context) => context.Message switch
    {
        Started => OnStarted(context),
        Stopped => OnStopped(),
        GetMembers => Answer(context, AdminReports.Members(picture())),
        GetGroups => Answer(context, AdminReports.Groups(picture())),
        GetPartitions => Answer(context, AdminReports.Partitions(picture())),
        Where where => OnWhere(context, where),
        Subscribe => OnSubscribe(context),
        Unsubscribe => OnUnsubscribe(context, context.Sender),
        Terminated terminated => OnUnsubscribe(context, terminated.Who),
        MemberStateChanged change => OnChange(context, change),
        _ => Task.CompletedTask,
    };

    Task OnStarted(IContext context)
    {
        var (root, self) = (context.System.Root, context.Self);
        _events = context.System.EventStream.Subscribe<MemberStateChanged>(change => root.Send(self, change));
        return Task.CompletedTask;
    }

    Task OnStopped()
    {
        _events?.Unsubscribe();
        return Task.CompletedTask;
    }

    static Task Answer(IContext context, object reply)
    {
        context.Respond(reply);
        return Task.CompletedTask;
    }

    /// <summary>The hash is computed here, the rest is the lookup's answer. Locating may take a while: others are answered meanwhile.</summary>
    Task OnWhere(IContext context, Where where)
    {
        var timeout = new CancellationTokenSource(WhereTimeout, time);
        var lookup = PID.FromAddress(context.System.Address, "grains");
        var request = new Locate { Kind = where.Kind, Identity = where.Identity, Peek = true };
        var located = context.RequestAsync<Located>(lookup, request, timeout.Token);
        context.ReenterAfter(located, async task =>
        {
            using var _ = timeout;
            Located answer;
            try
            {
                answer = await task;
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException or DeadLetterException)
            {
                answer = new Located { Failure = new Failure { Outcome = OutcomeKind.NotExecuted, Code = ErrorCode.DeadlineExceeded, Message = e.Message } };
            }

            context.Respond(new WhereReply { Located = answer, Hash = StableHash.Of(where.Identity) });
        });
        return Task.CompletedTask;
    }

    Task OnSubscribe(IContext context)
    {
        if (context.Sender is not { } subscriber) return Task.CompletedTask;
        if (!_subscribers.Contains(subscriber))
        {
            if (_subscribers.Count >= MaxSubscribers)
            {
                var failure = new Failure
                {
                    Outcome = OutcomeKind.NotExecuted,
                    Code = ErrorCode.Overloaded,
                    Message = $"{MaxSubscribers} subscribers are the most a node serves",
                };
                context.Respond(new AdminFailure { Failure = failure });
                return Task.CompletedTask;
            }

            _subscribers.Add(subscriber);
            context.Watch(subscriber);
        }

        context.Respond(new Subscribed { View = picture().Membership.View });
        return Task.CompletedTask;
    }

    Task OnUnsubscribe(IContext context, PID? subscriber)
    {
        if (subscriber is not null && _subscribers.Remove(subscriber)) context.Unwatch(subscriber);
        return Task.CompletedTask;
    }

    Task OnChange(IContext context, MemberStateChanged change)
    {
        if (_subscribers.Count == 0) return Task.CompletedTask;
        var message = new MembershipChanged
        {
            Uid = change.Uid.Value,
            Name = change.Name,
            Address = change.Address,
            Previous = change.Previous,
            Current = change.Current,
            Incarnation = change.Incarnation,
            View = change.View,
            Evidence = change.Evidence,
            UnixMs = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds(),
            SeenBy = picture().NodeName,
        };
        foreach (var subscriber in _subscribers) context.Send(subscriber, message);
        return Task.CompletedTask;
    }
}
