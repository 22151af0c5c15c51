namespace Proto.Benchmarks.Local;

/// <summary>The least that a request can be: a task that another thread-pool work item completes, and whose continuation is a work item too.</summary>
sealed class HandOff : IThreadPoolWorkItem
{
    static readonly object Reply = new();

    readonly TaskCompletionSource<object> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static Task RequestAsync()
    {
        var handOff = new HandOff();
        ThreadPool.UnsafeQueueUserWorkItem(handOff, preferLocal: true);
        return handOff._completion.Task;
    }

    void IThreadPoolWorkItem.Execute() => _completion.SetResult(Reply);
}
