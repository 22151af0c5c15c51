using System.Diagnostics;

namespace Proto.OpenTelemetry;

/// <summary>Makes the activities of actors. Null everywhere while nobody listens.</summary>
internal static class ActorActivities
{
    private static readonly ActivitySource s_source = new(ProtoTags.ActivitySourceName);

    public static bool HasListeners => s_source.HasListeners();

    /// <param name="action">The context's method.</param>
    /// <param name="kind">Which side of which kind of exchange it is.</param>
    /// <param name="message">Without envelope.</param>
    /// <param name="context">In which it happens.</param>
    /// <param name="setup">The application's own tags.</param>
    /// <param name="parent">The cause; none: the current activity.</param>
    public static Activity? Start(
        string action, ActivityKind kind, object message, IInfoContext context, ActivitySetup? setup, ActivityContext parent = default)
    {
        var activity = s_source.StartActivity($"{action} {message.GetType().Name}", kind, parent);
        if (activity is not { IsAllDataRequested: true }) return activity;

        activity.SetTag(ProtoTags.ActionType, action);
        activity.SetTag(ProtoTags.MessageType, message.GetType().Name);
        // A root context is no process.
        if (context.Self is { } self)
        {
            activity.SetTag(ProtoTags.ActorPID, self.ToDiagnosticString());
            activity.SetTag(ProtoTags.ActorType, context.Actor?.GetType().Name);
        }

        setup?.Invoke(activity, message);
        return activity;
    }

    public static void SetTarget(this Activity? activity, PID target)
    {
        if (activity is { IsAllDataRequested: true }) activity.SetTag(ProtoTags.TargetPID, target.ToDiagnosticString());
    }

    public static void SetSender(this Activity? activity, PID? sender)
    {
        if (activity is { IsAllDataRequested: true } && sender is not null) activity.SetTag(ProtoTags.SenderPID, sender.ToDiagnosticString());
    }

    public static void SetFailed(this Activity? activity, Exception reason)
    {
        activity?.SetStatus(ActivityStatusCode.Error, reason.Message);
        activity?.AddException(reason);
    }
}
