using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Placement;

/// <summary>
/// The activations that one actor hosts as its children. Invariant: an identity has one activation at most, and none is started before the
/// one before it has ended. To be used in that actor's turns, as its children's supervisor too.
/// </summary>
sealed partial class ActivationHost : ISupervisorStrategy
{
    readonly Dictionary<ClusterIdentity, Hosted> _byIdentity = [];
    readonly Dictionary<string, Hosted> _byPid = new(StringComparer.Ordinal);
    readonly HashSet<ClusterIdentity> _deciding = [];
    readonly Cluster _cluster;
    readonly StartFailures _startFailures;
    readonly ILogger _logger;
    readonly string _namePrefix;
    PID? _drainer; // told when nothing runs any more

    ActivationHost(Cluster cluster)
    {
        _cluster = cluster;
        _logger = cluster.System.LoggerFactory.CreateLogger<ActivationHost>();
        _startFailures = new StartFailures(cluster.System.Config.TimeProvider);
        // Of this system only: a PID of an earlier process at the same address must never mean another actor.
        _namePrefix = cluster.System.Id[..Math.Min(8, cluster.System.Id.Length)];
    }

    /// <summary>An actor that hosts activations. When it is restarted its instance is another one, with the same host.</summary>
    public static Props PropsOf(Cluster cluster, Func<ActivationHost, IActor> actor)
    {
        var host = new ActivationHost(cluster);
        return Props.FromProducer(() =>
        {
            // What was being decided goes with the instance that waited for it.
            host._deciding.Clear();
            return actor(host);
        }).WithChildSupervisorStrategy(host);
    }

    public int Count => _byIdentity.Count;

    /// <summary>Those that run and those that are ending, in a stable order.</summary>
    public IEnumerable<Activation> All => _byIdentity.Values.Select(hosted => new Activation { ClusterIdentity = hosted.Identity, Pid = hosted.Pid });

    /// <summary>Set when this member leaves: nothing is activated any more.</summary>
    public bool IsClosed { get; private set; }

    public bool Contains(Activation activation) => _byIdentity.TryGetValue(activation.ClusterIdentity, out var hosted) && hosted.Pid.Equals(activation.Pid);

    /// <summary>Answers with the identity's activation, started when there is none.</summary>
    /// <param name="context">Of the turn in which somebody asks for it.</param>
    /// <param name="identity">The identity.</param>
    /// <param name="mayNotStart">Why none may be started now, or null; asked last of all, in the turn that starts it.</param>
    /// <param name="started">Answers instead when it was started just now.</param>
    public void Activate(
        IContext context, ClusterIdentity identity, Func<ActivationResponse?> mayNotStart, Action<IContext, ActivationResponse>? started = null)
    {
        if (_byIdentity.TryGetValue(identity, out var hosted))
        {
            context.Respond(hosted.IsEnding ? Refused(ActivationRefusal.RefusalHandOver, "its former activation is ending") : hosted.Response);
            return;
        }

        if (WhyNot(identity, mayNotStart) is { } refusal) context.Respond(refusal);
        else if (_cluster.TryGetClusterKind(identity.Kind) is not { } kind)
            context.Respond(Refused(ActivationRefusal.RefusalUnknownKind, $"{_cluster.System.Address} does not host the kind '{identity.Kind}'"));
        else if (kind.CanSpawnIdentity is null) Start(context, identity, kind, started);
        else Decide(context, identity, kind, mayNotStart, started);
    }

    /// <summary>Ends it after the messages that it already has.</summary>
    public void End(IContext context, ClusterIdentity identity)
    {
        if (!_byIdentity.TryGetValue(identity, out var hosted) || hosted.IsEnding) return;
        hosted.IsEnding = true;
        _cluster.System.EventStream.Publish(new ActivationTerminating { Pid = hosted.Pid, ClusterIdentity = identity });
        context.Poison(hosted.Pid);
    }

    /// <summary>
    /// For <see cref="Drain"/>: from now on nothing is started, and what runs ends; its sender is told when all has ended. The other members are
    /// told at once: they must not wait for answers from here.
    /// </summary>
    public void Close(IContext context)
    {
        IsClosed = true;
        _drainer = context.Sender;
        foreach (var hosted in _byIdentity.Values)
        {
            _cluster.MemberList.BroadcastEvent(new ActivationTerminating { Pid = hosted.Pid, ClusterIdentity = hosted.Identity }, includeSelf: false);
            End(context, hosted.Identity);
        }

        TellIfDrained(context);
    }

    /// <summary>A child has ended. Returns the activation that it was, told to all members; null when it was none.</summary>
    public Activation? Ended(IContext context, PID pid)
    {
        if (!_byPid.Remove(pid.Id, out var hosted)) return null;
        _byIdentity.Remove(hosted.Identity);
        hosted.Kind.Dec();
        if (!hosted.HasFailedToStart) _startFailures.Succeeded(hosted.Identity);
        var terminated = new ActivationTerminated { Pid = hosted.Pid, ClusterIdentity = hosted.Identity };
        _cluster.MemberList.BroadcastEvent(terminated);
        TellIfDrained(context);
        return new Activation { Pid = hosted.Pid, ClusterIdentity = hosted.Identity };
    }

    /// <summary>An activation that fails to start is stopped and its failure remembered; one that fails later is treated as its kind's props say.</summary>
    public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message)
    {
        if (!_byPid.TryGetValue(child.Id, out var hosted))
        {
            supervisor.StopChildren(child);
            return;
        }

        if (message is not Started)
        {
            Judge(hosted, new ActivationSupervisor(supervisor, child), rs, cause, message);
            return;
        }

        // A constructor that was called by its type parameter.
        _startFailures.Add(hosted.Identity, cause is TargetInvocationException { InnerException: { } inner } ? inner : cause);
        hosted.HasFailedToStart = true;
        hosted.IsEnding = true;
        supervisor.StopChildren(child);
    }

    /// <summary>One whose strategy fails is stopped.</summary>
    void Judge(Hosted hosted, ActivationSupervisor supervisor, RestartStatistics rs, Exception cause, object? message)
    {
        try
        {
            (hosted.Kind.Props.GuardianStrategy ?? Supervision.DefaultStrategy).HandleFailure(supervisor, hosted.Pid, rs, cause, message);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogStrategyFailed(_logger, failure, hosted.Kind.Name, hosted.Identity.Identity);
            supervisor.StopChildren(hosted.Pid);
        }
    }

    public static ActivationResponse Refused(ActivationRefusal refusal, string reason) => new() { Failed = true, Refusal = refusal, Reason = reason };

    public static ActivationResponse RefusedWithoutIdentity() => Refused(ActivationRefusal.RefusalUnspecified, "the request's cluster_identity is missing");

    void TellIfDrained(IContext context)
    {
        if (_drainer is not null && Count == 0) context.Send(_drainer, Drain.Instance);
    }

    ActivationResponse? WhyNot(ClusterIdentity identity, Func<ActivationResponse?> mayNotStart)
    {
        if (IsClosed) return Refused(ActivationRefusal.RefusalShuttingDown, $"{_cluster.System.Address} is shutting down");
        if (mayNotStart() is { } refusal) return refusal;
        return _startFailures.CauseToWait(identity) is { } cause ? StartFailed(cause) : null;
    }

    static ActivationResponse StartFailed(Exception cause) => Refused(ActivationRefusal.RefusalStartFailed, $"{cause.GetType().Name}: {cause.Message}");

    void Decide(
        IContext context,
        ClusterIdentity identity,
        ActivatedClusterKind kind,
        Func<ActivationResponse?> mayNotStart,
        Action<IContext, ActivationResponse>? started)
    {
        if (!_deciding.Add(identity))
        {
            context.Respond(Refused(ActivationRefusal.RefusalHandOver, "its kind is deciding whether it may be activated"));
            return;
        }

        context.ReenterAfter(MaySpawn(kind, identity), decision =>
        {
            _deciding.Remove(identity);
            // Other turns came between.
            if ((Forbidden(decision) ?? WhyNot(identity, mayNotStart)) is { } refusal) context.Respond(refusal);
            else Start(context, identity, kind, started);
        });
    }

    static ActivationResponse? Forbidden(Task<bool> decision)
    {
        if (decision.IsCompletedSuccessfully) return decision.Result ? null : new ActivationResponse { Failed = true, InvalidIdentity = true };
        var cause = decision.Exception?.GetBaseException().Message ?? "it was cancelled";
        return Refused(ActivationRefusal.RefusalStartFailed, $"its kind's spawn predicate failed: {cause}");
    }

    async Task<bool> MaySpawn(ActivatedClusterKind kind, ClusterIdentity identity)
    {
        var end = _cluster.System.Deadlines.After(_cluster.Config.ActorSpawnVerificationTimeout);
        return await kind.CanSpawnIdentity!(identity.Identity, end).AsTask().OnThisContext().WaitAsync(end);
    }

    void Start(IContext context, ClusterIdentity identity, ActivatedClusterKind kind, Action<IContext, ActivationResponse>? started)
    {
        var measured = _cluster.Metrics.Begin();
        var name = _namePrefix + _cluster.System.ProcessRegistry.NextId();
        PID pid;
        try
        {
            pid = context.SpawnNamed(kind.ActivationProps, name, activation => activation.SetClusterIdentity(identity));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // A spawner of the kind's own: it must not end this actor, and with it what all other kinds have here.
            _startFailures.Add(identity, failure);
            context.Respond(StartFailed(failure));
            return;
        }

        var hosted = new Hosted(identity, pid, kind);
        _byIdentity.Add(identity, hosted);
        _byPid.Add(pid.Id, hosted);
        kind.Inc();
        _cluster.Metrics.Spawned(measured, kind.Name);
        if (started is null) context.Respond(hosted.Response);
        else started(context, hosted.Response);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The supervisor strategy of the kind {Kind} failed on {Identity}, which is stopped")]
    static partial void LogStrategyFailed(ILogger logger, Exception failure, string kind, string identity);

    sealed class Hosted(ClusterIdentity identity, PID pid, ActivatedClusterKind kind)
    {
        public ClusterIdentity Identity { get; } = identity;
        public PID Pid { get; } = pid;
        public ActivatedClusterKind Kind { get; } = kind;
        public ActivationResponse Response { get; } = new() { Pid = pid, Deduplicates = kind.Deduplicates };
        public bool IsEnding { get; set; }
        public bool HasFailedToStart { get; set; }
    }
}
