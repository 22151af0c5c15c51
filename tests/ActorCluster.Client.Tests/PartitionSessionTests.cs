using ActorCluster.Client.Sessions;

namespace ActorCluster.Client.Tests;

public class PartitionSessionTests
{
    [Fact]
    public async Task Sequences_count_from_1_and_the_lowest_pending_follows_the_oldest()
    {
        var session = new PartitionSession(7, window: 8);
        foreach (var expected in new[] { 1UL, 2UL, 3UL }) Assert.Equal(expected, await Begin(session));

        session.End(2);
        Assert.Equal(1UL, session.Reference(3).LowestPending);
        session.End(1);
        var reference = session.Reference(3);
        Assert.Equal((7UL, 3UL, 3UL), (reference.SessionId, reference.Sequence, reference.LowestPending));
    }

    [Fact]
    public async Task A_full_window_makes_requests_wait_for_the_oldest()
    {
        var session = new PartitionSession(1, window: 2);
        await Begin(session);
        await Begin(session);
        var third = Begin(session);

        session.End(2); // not the oldest: no room yet
        Assert.False(third.IsCompleted);
        session.End(1);
        Assert.Equal(3UL, await third);
    }

    [Fact]
    public async Task Who_gives_up_waiting_does_not_take_anybodys_turn()
    {
        var session = new PartitionSession(1, window: 1);
        await Begin(session);
        using var impatient = new CancellationTokenSource();
        var gaveUp = session.BeginAsync(impatient.Token);
        var waits = Begin(session);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gaveUp);

        session.End(1);
        Assert.Equal(2UL, await waits);
    }

    [Fact]
    public async Task A_sequence_ends_once()
    {
        var session = new PartitionSession(1, window: 4);
        await Begin(session);
        session.End(1);
        Assert.Throws<InvalidOperationException>(() => session.End(1));
        Assert.Throws<InvalidOperationException>(() => session.End(2));
    }

    [Fact]
    public async Task Many_requests_side_by_side_never_leave_the_window_and_never_share_a_sequence()
    {
        const int Window = 16;
        const int Requests = 5000;
        var session = new PartitionSession(1, Window);
        var used = new int[Requests + 1];
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (_, ct) =>
        {
            var sequence = await session.BeginAsync(ct);
            Interlocked.Increment(ref used[sequence]);
            var reference = session.Reference(sequence);
            Assert.InRange(sequence - reference.LowestPending, 0UL, Window - 1UL);
            await Task.Yield();
            session.End(sequence);
        });

        Assert.All(used.Skip(1), count => Assert.Equal(1, count));
        Assert.Equal(Requests + 1UL, session.Reference(Requests).LowestPending);
    }

    static Task<ulong> Begin(PartitionSession session) => session.BeginAsync(CancellationToken.None);
}
