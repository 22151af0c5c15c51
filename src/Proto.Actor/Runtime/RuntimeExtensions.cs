namespace Proto;

internal static class RuntimeExtensions
{
    /// <summary>Cancels apart from the caller, whom the callbacks must not hold up.</summary>
    public static void CancelApart(this ISystemRuntime runtime, CancellationTokenSource source) =>
        _ = runtime.Run(() =>
        {
            source.Cancel();
            return Task.CompletedTask;
        });

    /// <summary>
    /// The same outcome, in a task that completes where this call was made. A task source that runs its continuations asynchronously would
    /// send a combinator of tasks (<c>WhenAny</c>, <c>WhenAll</c>, <c>WaitAsync</c>) to the thread pool, whatever the synchronization context.
    /// </summary>
    public static async Task OnThisContext(this Task task) => await task;

    /// <inheritdoc cref="OnThisContext(Task)"/>
    public static async Task<T> OnThisContext<T>(this Task<T> task) => await task;
}
