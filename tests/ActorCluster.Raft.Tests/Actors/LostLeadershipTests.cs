using System.Collections.Concurrent;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Actors;
using Proto;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace ActorCluster.Raft.Tests.Actors;

/// <summary>What a leader was in the middle of when it learnt of a higher term.</summary>
public sealed class LostLeadershipTests
{
    const ulong Behind = 3;

    /// <summary>
    /// A chunk in the new term would make the follower take the old leader for that term's, and stop, by its own invariant, when the
    /// real one speaks.
    /// </summary>
    [Fact]
    public async Task No_chunk_of_a_snapshot_leaves_in_a_term_that_the_sender_does_not_lead()
    {
        await using var cluster = new TestCluster(3, new RaftOptions { SnapshotEntries = 20, KeepTailEntries = 0, SnapshotChunkBytes = 16 });
        await using var system = new ActorSystem().WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(RaftReflection.Descriptor));
        await system.Remote().StartAsync();
        cluster.Impersonate(Behind, system.Address);
        for (ulong uid = 1; uid < Behind; uid++) await cluster.StartNodeAsync(uid);
        for (var i = 0; i < 60; i++) Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync($"word-{i}")).Outcome);
        var leader = await cluster.LeaderAsync();

        var follower = new EmptyFollower();
        foreach (var node in cluster.Nodes) follower.Senders[node.Uid.Value] = node.Actor;
        system.Root.SpawnNamed(Props.FromProducer(() => follower), RaftHost.ActorName(TestCluster.Group));
        var first = await follower.FirstChunk.Task.WaitAsync(TestCluster.Soon());

        // While the actor is busy: first the higher term, then the answer that asks for the next chunk.
        using var busy = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = leader.Replica.ReadAsync(
            _ =>
            {
                entered.TrySetResult();
                return busy.Wait(TimeSpan.FromSeconds(60));
            },
            TestCluster.Soon());
        await entered.Task.WaitAsync(TestCluster.Soon());
        var higher = first.Term + 1;
        var size = (ulong)first.InstallSnapshot.Data.Length;
        leader.Post(ToLeader(first, higher, m => m.AppendResponse = new AppendResponse { RejectedIndex = 1, ConflictIndex = 1 }));
        leader.Post(ToLeader(first, higher, m => m.SnapshotChunkResponse = new SnapshotChunkResponse { Index = first.InstallSnapshot.Meta.Index, NextOffset = size }));
        leader.Post(ToLeader(first, first.Term, m => m.Heartbeat = new Heartbeat())); // answered in the new term, behind all that was sent before
        busy.Set();
        await reading;
        await follower.ToldOf(higher).WaitAsync(TestCluster.Soon());

        Assert.DoesNotContain(follower.Chunks, m => m.Term >= higher && m.From == leader.Uid.Value);
    }

    static RaftMessage ToLeader(RaftMessage answered, ulong term, Action<RaftMessage> body)
    {
        var message = new RaftMessage { Group = answered.Group, From = Behind, To = answered.From, Term = term };
        body(message);
        return message;
    }

    /// <summary>A voter with an empty log: it answers heartbeats, refuses appends, and keeps the chunks that it is sent.</summary>
    sealed class EmptyFollower : IActor
    {
        readonly ConcurrentDictionary<ulong, TaskCompletionSource> _terms = [];

        public ConcurrentQueue<RaftMessage> Chunks { get; } = [];

        public TaskCompletionSource<RaftMessage> FirstChunk { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task ToldOf(ulong term) => Told(term).Task;

        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is not RaftMessage message) return Task.CompletedTask;
            var answer = new RaftMessage { Group = message.Group, From = message.To, To = message.From, Term = message.Term };
            switch (message.BodyCase)
            {
                case RaftMessage.BodyOneofCase.Heartbeat:
                    answer.HeartbeatResponse = new HeartbeatResponse { ReadContext = message.Heartbeat.ReadContext };
                    break;
                case RaftMessage.BodyOneofCase.AppendRequest:
                    answer.AppendResponse = new AppendResponse { RejectedIndex = message.AppendRequest.PrevLogIndex, ConflictIndex = 1 };
                    break;
                case RaftMessage.BodyOneofCase.InstallSnapshot:
                    Chunks.Enqueue(message);
                    FirstChunk.TrySetResult(message);
                    return Task.CompletedTask;
                case RaftMessage.BodyOneofCase.AppendResponse:
                    Told(message.Term).TrySetResult();
                    return Task.CompletedTask;
                default:
                    return Task.CompletedTask;
            }

            if (Senders.TryGetValue(message.From, out var sender)) context.Send(sender, answer);
            return Task.CompletedTask;
        }

        /// <summary>Where the real voters are.</summary>
        public ConcurrentDictionary<ulong, PID> Senders { get; } = [];

        TaskCompletionSource Told(ulong term) => _terms.GetOrAdd(term, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
