using System.Diagnostics;

namespace Proto.OpenTelemetry;

/// <summary>What traced contexts of actors and of the root do alike: sending.</summary>
internal static class TracedSending
{
    public static void Send(string action, ISenderContext context, PID target, object message, PID? sender, ActivitySetup? setup, Action send)
    {
        if (!ActorActivities.HasListeners)
        {
            send();
            return;
        }

        using var activity = Start(action, ActivityKind.Producer, context, target, message, sender, setup);
        try
        {
            send();
        }
        catch (Exception reason)
        {
            activity.SetFailed(reason);
            throw;
        }
    }

    /// <summary>The activity lasts until the reply.</summary>
    public static async Task<T> RequestAsync<T>(ISenderContext context, PID target, object message, ActivitySetup? setup, Func<Task<T>> request)
    {
        if (!ActorActivities.HasListeners) return await request();

        using var activity = Start(nameof(RequestAsync), ActivityKind.Client, context, target, message, null, setup);
        try
        {
            return await request();
        }
        catch (Exception reason)
        {
            activity.SetFailed(reason);
            throw;
        }
    }

    private static Activity? Start(
        string action, ActivityKind kind, ISenderContext context, PID target, object message, PID? sender, ActivitySetup? setup)
    {
        var activity = ActorActivities.Start(action, kind, MessageEnvelope.UnwrapMessage(message)!, context, setup);
        activity.SetTarget(target);
        activity.SetSender(sender);
        return activity;
    }
}
