using Google.Protobuf;
using Proto.Deterministic.Tests.Messages;
using Proto.Deterministic.Tests.Scenarios;
using Proto.Remote;
using Proto.Remote.Transport;

namespace Proto.Deterministic.Tests;

/// <summary>Two systems, a and b; b collects the numbers that a sends.</summary>
public sealed class NetworkTests : IDisposable
{
    readonly DeterministicWorld _world = new(1);
    readonly ActorSystem _a;
    readonly ActorSystem _b;
    readonly List<int> _received = [];

    public NetworkTests()
    {
        _a = _world.CreateRemote("a");
        _b = _world.CreateRemote("b");
        _b.Root.SpawnNamed(Props.FromFunc(context =>
        {
            if (context.Message is Ping ping) _received.Add(ping.Number);
            return Task.CompletedTask;
        }), "receiver");
        _world.Run(async () =>
        {
            await _a.Remote().StartAsync();
            await _b.Remote().StartAsync();
        });
    }

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_cut_link_holds_messages_back_and_keeps_their_order()
    {
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));

        _world.Network.Cut("a", "b");
        for (var number = 2; number <= 5; number++)
        {
            Send(number);
            _world.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([1], _received);
        _world.Network.Mend("a", "b");
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([1, 2, 3, 4, 5], _received);
    }

    [Fact]
    public void A_link_that_is_cut_for_long_is_given_up_by_keep_alive()
    {
        var lost = Lost(_a);
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(lost);

        _world.Network.Cut("b", "a");
        _world.RunFor(TimeSpan.FromSeconds(12));
        Assert.Empty(lost);
        _world.RunFor(TimeSpan.FromSeconds(10));

        Assert.NotEmpty(lost);
        Assert.Equal(_b.Address, lost[0].Address);
    }

    [Fact]
    public void A_killed_peer_is_known_to_be_gone_at_once()
    {
        var lost = Lost(_a);
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));

        _world.Kill(_b);
        _world.RunFor(TimeSpan.FromSeconds(1));

        Assert.Single(lost);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public void A_call_to_a_dead_process_is_refused_unless_its_host_is_dead_or_cut_off_too(bool powerCut, bool cutOff, bool refused)
    {
        if (cutOff) _world.Network.Isolate("a", "b");
        if (powerCut) _world.CutPower(_b);
        else _world.Kill(_b);

        _world.Run(async () =>
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), _world.Time);
            using var channel = _a.Extensions.GetRequired<ITransport>().CreateChannel(_b.Address, new EndpointWriterOptions());
            var failure = await Record.ExceptionAsync(() => channel.OpenAsync("/any", default, patience.Token));
            Assert.Equal(refused, TransportFailure.IsRefused(failure!));
            Assert.Equal(!refused, patience.IsCancellationRequested);
        });
    }

    [Fact]
    public void A_peer_without_power_is_missed_after_keep_alive()
    {
        var lost = Lost(_a);
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));

        _world.CutPower(_b);
        _world.RunFor(TimeSpan.FromSeconds(12));
        Assert.Empty(lost);
        _world.RunFor(TimeSpan.FromSeconds(10));

        Assert.NotEmpty(lost);
    }

    [Fact]
    public void A_paused_peer_goes_on_where_it_was_unless_keep_alive_has_given_it_up()
    {
        var lost = Lost(_a);
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));

        _world.Pause(_b);
        Send(2);
        _world.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal([1], _received);
        _world.Resume(_b);
        _world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([1, 2], _received);
        Assert.Empty(lost);

        _world.Pause(_b);
        _world.RunFor(TimeSpan.FromSeconds(30));
        Assert.NotEmpty(lost);
    }

    [Fact]
    public void A_slow_link_delays_by_what_it_was_told()
    {
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));

        _world.Network.Slow("a", "b", TimeSpan.FromMilliseconds(500));
        Send(2);
        _world.RunFor(TimeSpan.FromMilliseconds(499));
        Assert.Equal([1], _received);
        _world.RunFor(TimeSpan.FromMilliseconds(2));
        Assert.Equal([1, 2], _received);
    }

    [Fact]
    public void A_peer_that_does_not_read_fills_the_window_and_no_more()
    {
        Send(1);
        _world.RunFor(TimeSpan.FromSeconds(1));

        _world.Network.StopReading("b");
        var before = _world.Network.BytesUnderWay("a", "b");
        for (var number = 0; number < 100; number++)
        {
            _a.Root.Send(PID.FromAddress(_b.Address, "receiver"), new Blob { Content = ByteString.CopyFrom(new byte[16 * 1024]) });
            _world.RunFor(TimeSpan.FromMilliseconds(10));
        }

        Send(2);
        _world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(0, before);
        Assert.InRange(_world.Network.BytesUnderWay("a", "b"), _world.Network.WindowBytes, _world.Network.WindowBytes + 32 * 1024);
        Assert.Equal([1], _received);

        _world.Network.ResumeReading("b");
        _world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal([1, 2], _received);
    }

    [Fact]
    public void Two_systems_cannot_listen_at_one_address_while_the_first_lives()
    {
        var same = _world.CreateSystem("c").WithRemote(Remote.GrpcNet.GrpcNetRemoteConfig.BindTo("b", _b.GetAddress().Port));

        Assert.Throws<DeterministicFailureException>(() => _world.Run(() => same.Remote().StartAsync()));
        _world.Kill(_b);
        _world.Run(() => same.Remote().StartAsync());

        Assert.Equal(_b.Address, same.Address);
    }

    static List<EndpointTerminatedEvent> Lost(ActorSystem system)
    {
        var lost = new List<EndpointTerminatedEvent>();
        system.EventStream.Subscribe<EndpointTerminatedEvent>(lost.Add);
        return lost;
    }

    void Send(int number) => _a.Root.Send(PID.FromAddress(_b.Address, "receiver"), new Ping { Number = number });
}
