using Proto.Benchmarks.Cluster;
using Proto.Benchmarks.Local;
using Proto.Benchmarks.Measuring;
using Proto.Benchmarks.Messages;
using Proto.Benchmarks.Remote;
using Proto.Benchmarks.Reports;
using Proto.Remote;

namespace Proto.Benchmarks;

/// <summary>One run: the rows of the table, one after the other. Targets and the numbers of Proto.Actor 1.6 stand beside what they are for.</summary>
sealed class EngineRun(BenchmarkSettings settings, Action<string> progress)
{
    readonly List<Row> _rows = [];

    public async Task<IReadOnlyList<Row>> ExecuteAsync(CancellationToken ct)
    {
        if (settings.Groups.Contains("local", StringComparer.Ordinal)) await LocalAsync();
        if (settings.Groups.Any(group => group is "remote" or "cluster")) await TwoProcessesAsync(ct);
        return _rows;
    }

    async Task LocalAsync()
    {
        await using (var pair = new PingPong(pairs: 1, inFlight: 100))
        {
            await RateAsync(
                "local ping-pong, one pair, 100 in flight", "msg/s", pair, "the same over two channels", new ChannelPingPong(inFlight: 100),
                Target.RatioAtLeast(0.9, "≥ 0.9 ×"), "20 M, 0.6 ×");
        }

        await using (var pairs = new PingPong(pairs: 32, inFlight: 100))
        {
            await RateAsync(
                "local throughput, 32 pairs", "msg/s", pairs, "one channel, one way", new ChannelOneWay(), Target.RatioAtLeast(3, "≥ 3 ×"), "73 M, 2.2 ×");
        }

        await using var local = new LocalRequests();
        foreach (var (callers, least, text, theirs) in ((int, double, string, string)[])[(1, 1.5e6, "1.5 M/s", "0.8 M/s"), (64, 2.5e6, "2.5 M/s", "1.5 M/s")])
        {
            var handOff = new Callers(callers, _ => HandOff.RequestAsync());
            await RateAsync(
                $"local request, {CallersText(callers)}", "/s", new Callers(callers, _ => local.WithDefaultTimeout()), "hand-off of a task", handOff,
                Target.PerSecond(least, text), theirs);
            await RateAsync(
                $"local request with a token, {CallersText(callers)}", "/s", new Callers(callers, _ => local.WithToken()), "hand-off of a task", handOff,
                Target.PerSecond(least, text), theirs);
        }

        await RateAsync("spawn", "/s", new Spawning(), "making the same objects", new SpawnedObjects(), Target.PerSecond(600e3, "600 k/s"), "190 k/s");
        var (held, objects) = (await IdleActors.BytesEachAsync(settings.IdleActors), SpawnedObjects.BytesEach(settings.IdleActors));
        Add(new Row(
            "memory per idle actor", "bytes", "the same objects", new Comparison(held, objects, held / objects), Target.Bytes(600), "1,530 bytes"));
    }

    async Task TwoProcessesAsync(CancellationToken ct)
    {
        await using var system = Peer.CreateSystem();
        await system.Remote().StartAsync();
        await using var peer = await PeerProcess.StartAsync(system, ct);
        // The peer is in a cluster and speaks to its other member; so both have to be.
        var cluster = TwoMembers.Join(system, peer.Address, peer.SystemId, TwoMembers.ParentKinds, TwoMembers.PeerKinds);
        await cluster.StartMemberAsync();
        var sink = PID.FromAddress(peer.Address, Peer.Sink);
        var echo = PID.FromAddress(peer.Address, Peer.Echo);
        var message = new Payload { Text = "sixteen bytes ok", Number = 1_234_567_890_123 };
        // A message among many like it in a batch: tag, length and content of its envelope, tag and length of its payload.
        var messageBytes = message.CalculateSize() + 4;
        var oneWay = new OneWay(system, sink, message);
        Task Request(int caller) => system.Root.RequestAsync<Payload>(echo, message);
        Callers RemoteRequests(int callers) => new(callers, Request, oneWay.UsageElsewhereAsync);

        if (settings.Groups.Contains("remote", StringComparer.Ordinal)) await RemoteAsync();
        if (settings.Groups.Contains("cluster", StringComparer.Ordinal)) await ClusterAsync();
        await cluster.ShutdownAsync();

        async Task RemoteAsync()
        {
            using var bareSink = await BareStream.OpenAsync(peer.HttpPort, BareServer.SinkPath, ct);
            await RateAsync(
                "remote one-way", "msg/s", oneWay, "the same bytes on a bare HTTP/2 stream", new BareOneWay(bareSink, messageBytes),
                Target.PerSecond(2.5e6, "2.5 M/s"), "0.9 to 1.4 M/s");

            using var bareEcho = await BareStream.OpenAsync(peer.HttpPort, BareServer.EchoPath, ct);
            var roundTrip = new BareRoundTrip(bareEcho, messageBytes);
            Add(new Row(
                "remote request, 1 caller, p50", "µs", "round trip of a bare HTTP/2 stream",
                await Comparison.OfMedianMicrosAsync(() => Request(0), roundTrip.RequestAsync, settings), Target.RatioAtMost(1.5, "≤ 1.5 ×"), "88 µs, 11 k/s"));
            foreach (var (callers, least, text, theirs) in ((int, double, string, string)[])[(64, 350e3, "350 k/s", "220 k/s"), (256, 500e3, "500 k/s", "320 k/s")])
            {
                using var stream = await BareStream.OpenAsync(peer.HttpPort, BareServer.EchoPath, ct);
                var bare = new BareRequests(stream, messageBytes, callers);
                await RateAsync(
                    $"remote request, {callers} callers", "/s", RemoteRequests(callers), "the same over a bare HTTP/2 stream", new Callers(callers, bare.RequestAsync),
                    Target.PerSecond(least, text), theirs);
            }
        }

        async Task ClusterAsync()
        {
            var grains = new Grains(cluster, message);
            foreach (var (callers, least, text, theirs) in ((int, double, string, string)[])[(64, 300e3, "300 k/s", "190 k/s"), (256, 420e3, "420 k/s", "265 k/s")])
            {
                await RateAsync(
                    $"virtual actor in the other process, {callers} callers", "/s", new Callers(callers, grains.RequestThereAsync, oneWay.UsageElsewhereAsync),
                    "remote request", RemoteRequests(callers), Target.PerSecond(least, text), theirs);
            }

            foreach (var (kind, where) in ((string, string)[])[(TwoMembers.Anywhere, "in both processes"), (TwoMembers.There, "in the other process")])
            {
                var activations = new Callers(256, _ => grains.ActivateAsync(kind), oneWay.UsageElsewhereAsync) { MaxOperations = Grains.MaxActivations };
                await RateAsync(
                    $"first activations {where}, 256 callers", "/s", activations, "local spawn", new Spawning(), Target.PerSecond(150e3, "150 k/s"), "41 to 50 k/s");
            }
        }
    }

    async Task RateAsync(string what, string unit, IScenario subject, string baselineName, IScenario baseline, Target target, string theirs)
    {
        if (what.Contains(settings.Only, StringComparison.Ordinal))
            Add(new Row(what, unit, baselineName, await Comparison.OfRatesAsync(subject, baseline, settings), target, theirs));
    }

    void Add(Row row)
    {
        _rows.Add(row);
        progress(FormattableString.Invariant($"{row.What}: {row.Result.Value:N0} {row.Unit}, {row.Result.Ratio:N2} of {row.BaselineName}, {row.Result.BytesEach:N0} bytes and {row.Result.CpuNanosEach:N0} ns of processor time each"));
    }

    static string CallersText(int callers) => callers == 1 ? "1 caller" : $"{callers} callers";
}
