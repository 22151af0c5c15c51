using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Gossip;

public sealed class HeartbeatMonitorTests
{
    const long Expiration = 1000;

    [Fact]
    public void Defect_10_a_single_observer_evicts_nobody()
    {
        var a = Monitor("a", "a", "b", "c");
        a.Heard("c", 1, 0);

        // Only a misses b; c is heard and says nothing.
        a.Heard("c", 2, Expiration);

        Assert.Equal("b", Assert.Single(Look(a, Expiration)).Key);
        Assert.Empty(a.Evictable(Expiration));
    }

    [Fact]
    public void A_member_that_a_majority_misses_is_evictable()
    {
        var a = Monitor("a", "a", "b", "c");
        a.Heard("c", 1, Expiration);
        a.Said("c", Missed("b", 0));

        Assert.Equal(["b"], a.Evictable(Expiration));
    }

    [Fact]
    public void In_a_cluster_of_two_nobody_is_evicted()
    {
        var a = Monitor("a", "a", "b");

        Assert.Equal("b", Assert.Single(Look(a, Expiration)).Key);
        Assert.Empty(a.Evictable(Expiration));
    }

    [Fact]
    public void A_node_that_is_cut_off_evicts_nobody_although_it_once_heard_the_others_complain()
    {
        var a = Monitor("a", "a", "b", "c", "d");
        a.Said("b", Missed("d", 0));
        a.Said("c", Missed("d", 0));

        // b and c are silent by now themselves: their word is old.
        Assert.Equal(["b", "c", "d"], Look(a, Expiration).Select(missed => missed.Key));
        Assert.Empty(a.Evictable(Expiration));
    }

    [Fact]
    public void A_heartbeat_refutes_what_was_said_about_the_silence_before_it()
    {
        var a = Monitor("a", "a", "b", "c");
        a.Said("c", Missed("b", 4));
        a.Heard("b", 5, 100);
        a.Heard("c", 1, 100 + Expiration);

        // b is silent again, but c has not said so of this silence yet.
        Assert.Empty(a.Evictable(100 + Expiration));

        a.Said("c", Missed("b", 5));
        Assert.Equal(["b"], a.Evictable(100 + Expiration));
        a.Heard("b", 6, 101 + Expiration);
        Assert.Empty(a.Evictable(101 + Expiration));
    }

    [Fact]
    public void A_member_that_never_sent_a_heartbeat_expires_from_the_moment_it_was_seen()
    {
        var a = Monitor("a", "a");
        a.SetMembers(["a", "b"], 5000);

        Assert.Empty(Look(a, 5000 + Expiration - 1));
        Assert.Equal("b", Assert.Single(a.Expired(5000 + Expiration)).Key);
    }

    [Fact]
    public void An_observer_that_did_not_run_starts_anew_instead_of_missing_everybody()
    {
        var a = Monitor("a", "a", "b");
        Assert.Empty(a.Expired(1));

        Assert.Empty(a.Expired(1 + 10 * Expiration));
    }

    [Fact]
    public void Own_heartbeat_is_never_missed()
    {
        var a = Monitor("a", "a", "b", "c");
        a.Said("b", Missed("a", 0));
        a.Said("c", Missed("a", 0));

        Assert.DoesNotContain("a", Look(a, Expiration).Select(missed => missed.Key));
        Assert.DoesNotContain("a", a.Evictable(Expiration));
    }

    static HeartbeatMonitor Monitor(string self, params string[] members)
    {
        var monitor = new HeartbeatMonitor(self, Expiration);
        monitor.SetMembers(members, 0);
        return monitor;
    }

    static Dictionary<string, long> Missed(string memberId, long lastHeartbeat) => new(StringComparer.Ordinal) { [memberId] = lastHeartbeat };

    /// <summary>Looks now and then until this moment, as the heartbeat's timer does.</summary>
    static IReadOnlyList<KeyValuePair<string, long>> Look(HeartbeatMonitor monitor, long untilMs)
    {
        for (var now = 0L; now < untilMs; now += Expiration / 10) monitor.Expired(now);
        return monitor.Expired(untilMs);
    }
}
