namespace Proto.Actor.Tests;

public sealed class EventProbeTests
{
    [Fact]
    public async Task It_finds_the_next_event_of_a_type_that_fulfils_a_condition()
    {
        var stream = new EventStream();
        var probe = stream.GetProbe();

        foreach (var message in (object[])["one", 1, 2, "two"]) stream.Publish(message);

        Assert.Equal(2, await Probe.Within(probe.Expect<int>(number => number > 1)));
        Assert.Equal("two", await Probe.Within(probe.Expect<string>()));
        var later = probe.Expect<string>();
        Assert.False(later.IsCompleted);
        stream.Publish("three");
        Assert.Equal("three", await Probe.Within(later));
    }

    [Fact]
    public async Task A_stopped_probe_hears_nothing_more()
    {
        var stream = new EventStream();
        var probe = stream.GetProbe();
        stream.Publish("before");
        probe.Stop();
        stream.Publish("after");

        Assert.Equal("before", await Probe.Within(probe.Expect<string>()));
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => Probe.Within(probe.Expect<string>()));
    }

    [Fact]
    public async Task A_probe_that_nobody_reads_says_that_it_missed_events()
    {
        var stream = new EventStream();
        var probe = stream.GetProbe();
        for (var i = 0; i <= EventProbe<object>.MaxEvents; i++) stream.Publish(i);

        var reason = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => Probe.Within(probe.Expect<string>()));
        Assert.Contains("missed", reason.ToString(), StringComparison.Ordinal);
    }
}
