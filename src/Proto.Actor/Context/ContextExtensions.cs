using Proto.Context;

namespace Proto;

public static class SenderContextExtensions
{
    /// <summary>Sends with this context's process as the sender.</summary>
    public static void Request(this ISenderContext self, PID target, object message) => self.Request(target, message, self.Self);

    /// <summary>Waits at most <see cref="ActorSystemConfig.ActorRequestTimeout"/>.</summary>
    public static Task<T> RequestAsync<T>(this ISenderContext self, PID target, object message) =>
        self.RequestAsync<T>(target, message, self.System.Config.ActorRequestTimeout);

    public static Task<T> RequestAsync<T>(this ISenderContext self, PID target, object message, TimeSpan timeout) =>
        self.RequestAsync<T>(target, message, self.System.Deadlines.After(timeout));

    /// <summary>The reply with its headers.</summary>
    public static async Task<(T message, MessageHeader header)> RequestWithHeadersAsync<T>(
        this ISenderContext self, PID target, object message, CancellationToken cancellationToken)
    {
        var envelope = await self.RequestAsync<MessageEnvelope>(target, message, cancellationToken);
        return envelope.Message is T reply
            ? (reply, envelope.Header)
            : throw new InvalidOperationException($"expected a reply of type {typeof(T)}, got {envelope.Message.GetType()}");
    }

    public static Task<(T message, MessageHeader header)> RequestWithHeadersAsync<T>(
        this ISenderContext self, PID target, object message, TimeSpan timeout) =>
        self.RequestWithHeadersAsync<T>(target, message, self.System.Deadlines.After(timeout));

    public static Task<(T message, MessageHeader header)> RequestWithHeadersAsync<T>(this ISenderContext self, PID target, object message) =>
        self.RequestWithHeadersAsync<T>(target, message, self.System.Config.ActorRequestTimeout);

    /// <param name="self">Sends the requests.</param>
    /// <param name="size">Requests that are expected to wait for their replies at the same time.</param>
    /// <param name="cancellationToken">Ends all requests of the batch.</param>
    public static BatchContext CreateBatchContext(this ISenderContext self, int size, CancellationToken cancellationToken) =>
        new(self, size, cancellationToken);

    /// <summary>Requests, and runs the action with the reply's task in a turn of this actor.</summary>
    public static void RequestReenter<T>(
        this IContext self, PID target, object message, Func<Task<T>, Task> action, CancellationToken cancellationToken) =>
        self.ReenterAfter(self.RequestAsync<T>(target, message, cancellationToken), action);

    public static void RequestReenter<T>(this IContext self, PID target, object message, Func<Task<T>, Task> action, TimeSpan timeout) =>
        self.ReenterAfter(self.RequestAsync<T>(target, message, timeout), action);
}

public static class SpawnerContextExtensions
{
    /// <summary>Spawns under an id that the system gives.</summary>
    public static PID Spawn(this ISpawnerContext self, Props props, Action<IContext>? callback = null) =>
        self.SpawnNamed(props, self.System.ProcessRegistry.NextId(), callback);

    public static PID SpawnPrefix(this ISpawnerContext self, Props props, string prefix, Action<IContext>? callback = null) =>
        self.SpawnNamed(props, prefix + self.System.ProcessRegistry.NextId(), callback);

    /// <summary>Spawns one of the system's own actors.</summary>
    /// <exception cref="ArgumentException">The name does not start with <c>$</c>.</exception>
    public static PID SpawnNamedSystem(this IRootContext self, Props props, string name, Action<IContext>? callback = null)
    {
        if (!name.StartsWith('$')) throw new ArgumentException($"the name of a system actor starts with '$': {name}", nameof(name));

        return self.System.Config.ConfigureSystemProps(name, props).SpawnAtRoot(self.System, name, callback);
    }
}
