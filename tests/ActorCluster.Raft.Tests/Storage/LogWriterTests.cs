using System.Collections.Concurrent;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>Group commit: nothing is reported durable that is not, and one sync serves all who wait.</summary>
public class LogWriterTests
{
    static readonly TimeSpan Hang = TimeSpan.FromSeconds(30); // Only a broken writer takes this long.

    [Fact]
    public async Task Completions_come_in_order_and_only_after_the_sync()
    {
        var log = new HeldLog();
        using var writer = new LogWriter(log);
        var durable = new ConcurrentQueue<int>();
        var done = Completion();
        log.HoldSyncs();
        writer.Submit(Create(G1), () => durable.Enqueue(0));
        await log.SyncReached.WaitAsync(Hang);
        for (var i = 1; i <= 100; i++)
        {
            var n = i;
            writer.Submit(Append(G1, Entries((ulong)n, (ulong)n, 1)), () =>
            {
                durable.Enqueue(n);
                if (n == 100) done.SetResult();
            });
        }
        Assert.Empty(durable);
        Assert.True(writer.QueuedBytes > 0);

        log.LetSyncsGo();
        await done.Task.WaitAsync(Hang);
        Assert.Equal(Enumerable.Range(0, 101), durable);
        // The first write alone, then all that had gathered meanwhile.
        Assert.Equal([1, 100], log.Batches);
        Assert.Equal(2, log.Syncs);
    }

    [Fact]
    public async Task A3_A_single_write_is_reported_only_once_the_disk_has_it()
    {
        var disk = new SimDisk(new Xoshiro256(1));
        using var writer = new LogWriter(NodeLog.Open(disk, StorageTestData.Directory));
        var durable = Completion();
        writer.Submit(Create(G1, Entries(1, 3, 1)), durable.SetResult);
        await durable.Task.WaitAsync(Hang);
        writer.Dispose();
        disk.Crash();
        using var log = NodeLog.Open(disk, StorageTestData.Directory);
        Assert.Equal(3, log.Recovered.Single().Entries.Count);
    }

    [Fact]
    public async Task A_failed_sync_is_final_and_nobody_is_told_that_it_is_durable()
    {
        var disk = new SimDisk(new Xoshiro256(1));
        var log = NodeLog.Open(disk, StorageTestData.Directory);
        using var writer = new LogWriter(log);
        var created = Completion();
        writer.Submit(Create(G1), created.SetResult);
        await created.Task.WaitAsync(Hang);

        disk.FailSyncAfter = 0;
        var told = 0;
        writer.Submit(Append(G1, Entries(1, 1, 1)), () => told++);
        var error = await Assert.ThrowsAsync<IOException>(() => writer.Failed.WaitAsync(Hang));
        Assert.Contains("failed to sync", error.Message, StringComparison.Ordinal);
        writer.Submit(Append(G1, Entries(2, 2, 1)), () => told++);
        writer.Dispose();
        Assert.Equal(0, told);
    }

    [Fact]
    public async Task Stopping_makes_durable_what_is_queued()
    {
        var log = new HeldLog();
        var writer = new LogWriter(log);
        log.HoldSyncs();
        var told = 0;
        writer.Submit(Create(G1), () => told++);
        await log.SyncReached.WaitAsync(Hang);
        writer.Submit(Append(G1, Entries(1, 1, 1)), () => told++);
        log.LetSyncsGo();
        writer.Dispose();
        Assert.Equal(2, told);
        Assert.True(log.IsSealed);
        Assert.True(log.IsDisposed);
    }

    [Fact]
    public async Task B8_A_disk_that_hangs_shows_as_congestion_and_the_queue_has_an_end()
    {
        var log = new HeldLog();
        using var writer = new LogWriter(log, new LogWriterOptions(CongestedBytes: 2_000, MaxQueuedBytes: 4_000));
        log.HoldSyncs();
        writer.Submit(Create(G1), () => { });
        await log.SyncReached.WaitAsync(Hang);
        Assert.False(writer.IsCongested);
        ulong index = 0;
        while (!writer.IsCongested) writer.Submit(Append(G1, Entries(++index, index, 1)), () => { });
        Assert.Throws<InvariantViolationException>(() =>
        {
            for (var i = 0; i < 100; i++) writer.Submit(Append(G1, Entries(++index, index, 1)), () => { });
        });
        Assert.InRange(writer.QueuedBytes, 2_000, 4_000);
        log.LetSyncsGo();
    }

    [Fact]
    public async Task A_long_queue_goes_in_bounded_batches_before_one_sync()
    {
        var log = new HeldLog();
        using var writer = new LogWriter(log, new LogWriterOptions(MaxBatchBytes: 1_000));
        log.HoldSyncs();
        writer.Submit(Create(G1), () => { });
        await log.SyncReached.WaitAsync(Hang);
        var done = Completion();
        for (ulong i = 1; i <= 50; i++) writer.Submit(Append(G1, Entries(i, i, 1)), i == 50 ? done.SetResult : () => { });
        log.LetSyncsGo();
        await done.Task.WaitAsync(Hang);
        Assert.Equal(51, log.Batches.Sum());
        Assert.True(log.Batches.Count > 5);
        Assert.Equal(2, log.Syncs);
    }

    /// <summary>Completions run on the writer's thread: the test must not go on there.</summary>
    static TaskCompletionSource Completion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A log whose syncs can be held, to see what the writer does meanwhile.</summary>
    sealed class HeldLog : INodeLog
    {
        readonly TaskCompletionSource _syncReached = Completion();
        readonly ManualResetEventSlim _open = new(initialState: true);

        public List<int> Batches { get; } = [];

        public int Syncs { get; private set; }

        public bool IsSealed { get; private set; }

        public bool IsDisposed { get; private set; }

        public Task SyncReached => _syncReached.Task;

        public IReadOnlyList<RecoveredGroup> Recovered => [];

        public long SizeBytes => 0;

        public void HoldSyncs() => _open.Reset();

        public void LetSyncsGo() => _open.Set();

        public void Append(IReadOnlyList<LogWrite> batch) => Batches.Add(batch.Count);

        public void Sync()
        {
            _syncReached.TrySetResult();
            _open.Wait(Hang);
            Syncs++;
        }

        public void Seal() => IsSealed = true;

        public void Dispose() => IsDisposed = true;
    }
}
