using ActorCluster.Protocol;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;
using Google.Protobuf;

namespace ActorCluster.Raft.Tests.Actors;

/// <summary>Real actors, real remoting over loopback, real files.</summary>
public sealed class RaftHostTests
{
    static ByteString Word(string word) => ByteString.CopyFromUtf8(word);

    [Fact]
    public async Task A_group_of_one_commits_and_keeps_what_it_committed_over_a_restart()
    {
        await using var cluster = new TestCluster(1);
        var node = await cluster.StartNodeAsync(1);
        await cluster.LeaderAsync();
        var result = await node.Replica.ProposeAsync(Word("alpha"), TestCluster.Soon());
        Assert.Equal(ProposalOutcome.Committed, result.Outcome);
        Assert.Equal(1, result.Value);

        await node.KillAsync();
        node = await cluster.StartNodeAsync(1);
        await cluster.LeaderAsync();

        Assert.Equal(["alpha"], await node.ReadAsync());
    }

    [Fact]
    public async Task What_is_written_at_the_leader_is_read_at_every_replica()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await cluster.WriteAsync("alpha");
        foreach (var node in cluster.Nodes) Assert.Equal(["alpha"], await node.ReadAsync());
    }

    [Fact]
    public async Task A_follower_refuses_a_proposal_and_names_the_leader()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var leader = await cluster.LeaderAsync();
        var follower = cluster.Nodes.First(n => n != leader);
        await follower.WhenAsync(s => s.Leader == leader.Uid);

        var result = await follower.Replica.ProposeAsync(Word("alpha"), TestCluster.Soon());

        Assert.Equal((ProposalOutcome.NotExecuted, ErrorCode.NotLeader, leader.Uid), (result.Outcome, result.Error, result.Leader));
    }

    [Fact]
    public async Task B6_Killing_the_leader_loses_nothing_that_was_acknowledged_and_it_catches_up_when_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        for (var i = 0; i < 20; i++) Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync($"before-{i}")).Outcome);
        var old = await cluster.LeaderAsync();
        await old.KillAsync();

        var next = await cluster.LeaderAsync();
        Assert.Equal(20, (await next.ReadAsync()).Count);
        for (var i = 0; i < 20; i++) Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync($"after-{i}")).Outcome);

        old = await cluster.StartNodeAsync(old.Uid.Value);
        var expected = await next.ReadAsync();
        Assert.Equal(40, expected.Count);
        Assert.Equal(expected, await old.ReadAsync());
    }

    [Fact]
    public async Task After_all_nodes_died_at_once_everything_acknowledged_is_there()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var written = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => cluster.WriteAsync($"w{i}")));
        Assert.All(written, r => Assert.Equal(ProposalOutcome.Committed, r.Outcome));
        foreach (var node in cluster.Nodes.ToList()) await node.KillAsync();
        for (ulong uid = 1; uid <= 3; uid++) await cluster.StartNodeAsync(uid);

        var words = await (await cluster.LeaderAsync()).ReadAsync();

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"w{i}").Order(StringComparer.Ordinal), words.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task E7_A_follower_far_behind_catches_up_by_a_snapshot_in_chunks_and_restarts_from_it()
    {
        await using var cluster = await TestCluster.StartAsync(3, new RaftOptions { SnapshotEntries = 100, KeepTailEntries = 5, SnapshotChunkBytes = 700 });
        var leader = await cluster.LeaderAsync();
        var behind = cluster.Nodes.First(n => n != leader);
        await behind.KillAsync();
        for (var i = 0; i < 450; i++) Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync($"word-{i}")).Outcome);

        behind = await cluster.StartNodeAsync(behind.Uid.Value);
        Assert.Equal(450, (await behind.ReadAsync()).Count);
        Assert.True(behind.Replica.Status.SnapshotIndex >= 100, $"caught up without a snapshot: {behind.Replica.Status}");

        await behind.KillAsync();
        behind = await cluster.StartNodeAsync(behind.Uid.Value);
        Assert.Equal(450, (await behind.ReadAsync()).Count);
    }

    [Fact]
    public async Task An_orderly_stop_hands_leadership_over_and_ends_every_proposal_under_way()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var leader = await cluster.LeaderAsync();
        await cluster.WriteAsync("first");
        var underWay = Enumerable.Range(0, 200).Select(i => leader.Replica.ProposeAsync(Word($"w{i}"), TestCluster.Soon())).ToArray();

        await leader.StopAsync();
        var results = await Task.WhenAll(underWay);
        var next = await cluster.LeaderAsync();
        var words = await next.ReadAsync();

        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].Outcome == ProposalOutcome.Committed) Assert.Contains($"w{i}", words);
            if (results[i].Outcome == ProposalOutcome.NotExecuted) Assert.DoesNotContain($"w{i}", words);
        }
    }

    [Fact]
    public async Task A_stopped_replica_refuses_at_once()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var node = await cluster.LeaderAsync();
        await node.StopAsync();

        var proposal = await node.Replica.ProposeAsync(Word("late"), TestCluster.Soon());
        var read = await node.Replica.ReadAsync(m => m.AppliedIndex, TestCluster.Soon());

        Assert.Equal((ProposalOutcome.NotExecuted, ErrorCode.NodeStopping), (proposal.Outcome, proposal.Error));
        Assert.Equal((false, ErrorCode.NodeStopping), (read.Ok, read.Error));
    }

    [Fact]
    public async Task A_leader_without_a_quorum_steps_down_and_its_proposal_ends_Unknown()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var leader = await cluster.LeaderAsync();
        foreach (var other in cluster.Nodes.Where(n => n != leader).ToList()) await other.KillAsync();

        var result = await leader.Replica.ProposeAsync(Word("lonely"), TestCluster.Soon());

        Assert.NotEqual(ProposalOutcome.Committed, result.Outcome);
        Assert.Contains(result.Error, new[] { ErrorCode.NoQuorum, ErrorCode.NotLeader });
        var read = await leader.Replica.ReadAsync(m => m.AppliedIndex, TestCluster.Soon());
        Assert.False(read.Ok);
    }

    [Fact]
    public async Task A_proposal_whose_deadline_passes_ends_in_time()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var leader = await cluster.LeaderAsync();
        using var deadline = new CancellationTokenSource();
        await deadline.CancelAsync();

        var result = await leader.Replica.ProposeAsync(Word("late"), deadline.Token);

        Assert.Equal(ErrorCode.DeadlineExceeded, result.Error);
        Assert.NotEqual(ProposalOutcome.Committed, result.Outcome);
    }

    [Fact]
    public async Task A_log_that_fails_stops_the_host_and_acknowledges_nothing_more()
    {
        await using var cluster = new TestCluster(1);
        var log = default(FailingLog);
        var node = await cluster.StartNodeAsync(1, inner => log = new FailingLog(inner));
        await cluster.LeaderAsync();
        var events = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = node.Host.Failed.ContinueWith(t => events.TrySetResult(t.Exception!.GetBaseException()), TaskScheduler.Default);

        log!.Fail();
        var result = await node.Replica.ProposeAsync(Word("lost"), TestCluster.Soon());

        Assert.NotEqual(ProposalOutcome.Committed, result.Outcome);
        Assert.Equal("the disk is gone", (await events.Task.WaitAsync(TestCluster.Soon())).Message);
    }

    /// <summary>Takes writes and never reports them durable once it failed.</summary>
    sealed class FailingLog(ILogWriter inner) : ILogWriter
    {
        readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Failed => _failed.Task;

        public void Submit(LogWrite write, Action onDurable)
        {
            if (!_failed.Task.IsCompleted) inner.Submit(write, onDurable);
        }

        public void Fail() => _failed.SetException(new IOException("the disk is gone"));
    }
}
