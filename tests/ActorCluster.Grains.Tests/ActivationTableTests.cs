using ActorCluster.Raft;

namespace ActorCluster.Grains.Tests;

public class ActivationTableTests
{
    readonly ActivationTable _table = new(capacity: 3);

    [Fact]
    public void Epochs_rise_with_every_activation_and_every_term()
    {
        _table.Led(0, generation: 1, term: 5);
        var first = _table.Begin("counter", "x", 0, 0);
        _table.End(first);
        var second = _table.Begin("counter", "x", 0, 0);
        Assert.Equal([second], _table.Led(0, 1, 7));
        var third = _table.Begin("counter", "x", 0, 0);

        Assert.True(_table.LeaderEpoch(0) < third.Epoch);
        Assert.True(first.Epoch < second.Epoch && second.Epoch < third.Epoch);
        Assert.Equal("counter/x@1.7.2", third.Address.Id);
    }

    [Fact]
    public void E43_An_identity_is_active_once()
    {
        _table.Led(0, 1, 1);
        var activation = _table.Begin("counter", "x", 0, 0);
        Assert.Same(activation, _table.Find("counter", "x"));
        Assert.Throws<InvariantViolationException>(() => _table.Begin("counter", "x", 0, 0));
    }

    [Fact]
    public void Losing_a_partition_ends_what_it_held_and_nothing_else()
    {
        _table.Led(0, 1, 1);
        _table.Led(1, 1, 1);
        var lost = _table.Begin("counter", "x", 0, 0);
        var kept = _table.Begin("counter", "y", 1, 0);
        Assert.Equal([lost], _table.Lost(0));
        Assert.Empty(_table.Lost(0));
        Assert.Null(_table.LeaderEpoch(0));
        Assert.False(_table.Activated(lost));
        Assert.True(_table.Activated(kept));
        Assert.Equal([kept], _table.All);
    }

    [Fact]
    public void The_number_of_activations_is_bounded()
    {
        _table.Led(0, 1, 1);
        for (var i = 0; i < 3; i++) _table.Begin("counter", $"{i}", 0, 0);
        Assert.True(_table.IsFull);
        Assert.Throws<InvariantViolationException>(() => _table.Begin("counter", "x", 0, 0));
    }

    [Fact]
    public void B53_Only_active_ones_that_nobody_used_are_idle()
    {
        _table.Led(0, 1, 1);
        var idle = _table.Begin("counter", "idle", 0, 0);
        var used = _table.Begin("counter", "used", 0, 0);
        _table.Begin("counter", "activating", 0, 0);
        _table.Activated(idle);
        _table.Activated(used);
        used.Used(50);
        Assert.Equal([idle], _table.IdleFor(100, 100));
        Assert.Equal([idle, used], _table.IdleFor(100, 150));
    }
}
