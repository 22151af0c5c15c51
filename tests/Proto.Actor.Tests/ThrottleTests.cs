using Proto.Utils;

namespace Proto.Actor.Tests;

public sealed class ThrottleTests
{
    [Fact]
    public void A_limited_number_passes_per_period_and_the_rest_is_counted()
    {
        var time = new ManualTime();
        var suppressed = new List<int>();
        var shouldThrottle = new ThrottleOptions(2, TimeSpan.FromSeconds(1)).Create(suppressed.Add, time);

        Assert.Equal([Throttle.Valve.Open, Throttle.Valve.Closing, Throttle.Valve.Closed, Throttle.Valve.Closed], Enumerable.Range(0, 4).Select(_ => shouldThrottle()));
        Assert.False(shouldThrottle().IsOpen());
        Assert.Empty(suppressed);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([3], suppressed);
        Assert.True(shouldThrottle().IsOpen());

        // A period in which everything passed is not reported.
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([3], suppressed);
    }
}
