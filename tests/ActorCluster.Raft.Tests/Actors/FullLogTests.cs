using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests.Actors;

public sealed class FullLogTests
{
    /// <summary>A follower's disk that hangs must not fill the memory of its node: entries are refused like lost messages.</summary>
    [Fact]
    public async Task G9_A_follower_whose_log_is_full_takes_no_entries_until_its_disk_moves_again()
    {
        await using var cluster = new TestCluster(3);
        await cluster.StartNodeAsync(1);
        await cluster.StartNodeAsync(2);
        for (var i = 0; i < 5; i++) Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync($"before-{i}")).Outcome);

        FullLog? log = null;
        var follower = await cluster.StartNodeAsync(3, writer => log = new FullLog(writer) { IsFull = true });
        await log!.RefusedTwice.WaitAsync(TestCluster.Soon()); // the first is done with when the second is looked at
        Assert.Equal(0ul, follower.Replica.Status.LastIndex);

        log.IsFull = false;
        Assert.Equal(5, (await follower.ReadAsync()).Count);
    }

    sealed class FullLog(ILogWriter inner) : ILogWriter
    {
        readonly TaskCompletionSource _refusedTwice = new(TaskCreationOptions.RunContinuationsAsynchronously);
        volatile bool _full;
        int _asked;

        public Task RefusedTwice => _refusedTwice.Task;

        /// <summary>Asked for each append that brings entries.</summary>
        public bool IsFull
        {
            get
            {
                if (_full && Interlocked.Increment(ref _asked) == 2) _refusedTwice.TrySetResult();
                return _full;
            }
            set => _full = value;
        }

        public bool IsCongested => inner.IsCongested;

        public Task Failed => inner.Failed;

        public void Submit(LogWrite write, Action onDurable) => inner.Submit(write, onDurable);
    }
}
