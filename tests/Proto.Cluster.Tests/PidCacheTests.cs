namespace Proto.Cluster.Tests;

public sealed class PidCacheTests
{
    [Fact]
    public void It_never_holds_more_than_its_limit_and_keeps_what_was_used_last()
    {
        var cache = new PidCache(TimeProvider.System, maxEntries: 100);
        var favourite = Identity(0);
        for (var i = 0; i < 1000; i++)
        {
            cache.TryAdd(Identity(i), new PID("a:1", $"{i}"));
            Assert.True(cache.Count <= 100);
            Assert.True(cache.TryGet(favourite, out _));
        }
    }

    [Fact]
    public void Removal_by_value_leaves_a_newer_pid()
    {
        var cache = new PidCache(TimeProvider.System, 100);
        var (older, newer) = (new PID("a:1", "x@1"), new PID("b:2", "x@2"));
        cache.TryAdd(Identity(1), older);

        Assert.True(cache.TryUpdate(Identity(1), newer, older));
        Assert.False(cache.TryUpdate(Identity(1), older, older));
        Assert.False(cache.RemoveByVal(Identity(1), older));
        Assert.True(cache.TryGet(Identity(1), out var kept));
        Assert.Equal(newer, kept);
    }

    [Fact]
    public void Removal_by_address_takes_only_that_address()
    {
        var cache = new PidCache(TimeProvider.System, 100);
        cache.TryAdd(Identity(1), new PID("a:1", "x"));
        cache.TryAdd(Identity(2), new PID("b:2", "y"));

        cache.RemoveByMember(new Member { Id = "gone", Host = "a", Port = 1 });

        Assert.False(cache.TryGet(Identity(1), out _));
        Assert.True(cache.TryGet(Identity(2), out _));
    }

    [Fact]
    public async Task Many_threads_that_add_beyond_the_limit_make_room_without_failing()
    {
        var cache = new PidCache(TimeProvider.System, maxEntries: 5_000);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++) cache.TryAdd(Identity(i * 4 + thread), new PID("a:1", $"{i}"));
        })));

        Assert.InRange(cache.Count, 1, 10_000);
    }

    [Fact]
    public void Its_count_follows_every_way_in_and_out()
    {
        var cache = new PidCache(TimeProvider.System, 100);
        for (var i = 0; i < 6; i++) cache.TryAdd(Identity(i), new PID($"a:{i % 2}", $"{i}"));
        Assert.False(cache.TryAdd(Identity(0), new PID("b:2", "other")));
        Assert.False(cache.TryAdd(Identity(9), new PID("a:1", "late"), deduplicates: false, EpochBefore(() => cache.Ended(Identity(9), new PID("a:1", "late")))));
        Assert.Equal(6, cache.Count);

        cache.TryUpdate(Identity(0), new PID("a:0", "newer"), new PID("a:0", "0"));
        Assert.Equal(6, cache.Count);
        cache.TryRemove(Identity(0));
        cache.TryRemove(Identity(0));
        cache.RemoveByVal(Identity(1), new PID("a:1", "1"));
        cache.RemoveByPredicate(entry => entry.Value.Id is "2");
        Assert.Equal(3, cache.Count);
        cache.RemoveByAddress("a:1");
        Assert.Equal(1, cache.Count);
        cache.RemoveIdle(TimeSpan.FromTicks(-1));
        Assert.Equal(0, cache.Count);

        long EpochBefore(Action end)
        {
            var epoch = cache.Epoch;
            end();
            return epoch;
        }
    }

    [Fact]
    public void What_a_lookup_found_before_its_member_left_is_not_taken_in_after()
    {
        var cache = new PidCache(TimeProvider.System, 100);
        var before = cache.Epoch;
        cache.RemoveByAddress("a:1");

        Assert.False(cache.TryAdd(Identity(1), new PID("a:1", "x"), deduplicates: false, before));
        Assert.False(cache.TryGet(Identity(1), out _));
        Assert.True(cache.TryAdd(Identity(2), new PID("b:2", "x"), deduplicates: false, before));
        // A member that came back at the same address.
        Assert.True(cache.TryAdd(Identity(1), new PID("a:1", "x"), deduplicates: false, cache.Epoch));
    }

    [Fact]
    public void What_a_lookup_found_before_its_activation_ended_is_not_taken_in_after()
    {
        var cache = new PidCache(TimeProvider.System, 100);
        var (ended, running) = (new PID("a:1", "x"), new PID("a:1", "y"));
        var before = cache.Epoch;
        cache.Ended(Identity(1), ended);

        Assert.False(cache.TryAdd(Identity(1), ended, deduplicates: false, before));
        Assert.True(cache.TryAdd(Identity(1), running, deduplicates: false, before));
        cache.Ended(Identity(1), running);
        Assert.False(cache.TryGet(Identity(1), out _));
    }

    [Fact]
    public void A_lookup_that_too_many_ends_overtook_is_not_taken_in()
    {
        var cache = new PidCache(TimeProvider.System, 100);
        var before = cache.Epoch;
        for (var i = 0; i <= PidCache.MaxRememberedEnds; i++) cache.Ended(Identity(i), new PID("a:1", $"{i}"));

        Assert.False(cache.TryAdd(Identity(1), new PID("b:2", "x"), deduplicates: false, before));
    }

    [Fact]
    public void Entries_that_nobody_uses_are_forgotten_after_their_time()
    {
        var time = new ManualTime();
        var cache = new PidCache(time, 100);
        cache.TryAdd(Identity(1), new PID("a:1", "x"));
        cache.TryAdd(Identity(2), new PID("a:1", "y"));
        time.Pass(TimeSpan.FromMinutes(10));
        cache.TryGet(Identity(2), out _);
        time.Pass(TimeSpan.FromMinutes(10));

        Assert.Equal(1, cache.RemoveIdle(TimeSpan.FromMinutes(15)));
        Assert.False(cache.TryGet(Identity(1), out _));
        Assert.True(cache.TryGet(Identity(2), out _));
    }

    static ClusterIdentity Identity(int i) => ClusterIdentity.Create($"id-{i}", "kind");
}
