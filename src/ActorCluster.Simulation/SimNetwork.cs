using ActorCluster.Raft;

namespace ActorCluster.Simulation;

/// <summary>
/// Links between endpoints (numbered from 0): each direction has its own generator, its own cut and its own slowness.
/// A message is dropped when the link is cut as it is sent or as it would arrive.
/// </summary>
public sealed class SimNetwork
{
    readonly SimWorld _world;
    readonly Xoshiro256[,] _random;
    readonly bool[,] _cut;
    readonly int[,] _extraDelayMicros;

    public SimNetwork(SimWorld world, int endpoints, NetworkFaults faults)
    {
        _world = world;
        Endpoints = endpoints;
        Faults = faults;
        _cut = new bool[endpoints, endpoints];
        _extraDelayMicros = new int[endpoints, endpoints];
        _random = new Xoshiro256[endpoints, endpoints];
        for (var from = 0; from < endpoints; from++)
            for (var to = 0; to < endpoints; to++)
                _random[from, to] = world.RandomFor($"network/{from}-{to}");
    }

    public int Endpoints { get; }

    /// <summary>Changed when a run heals.</summary>
    public NetworkFaults Faults { get; set; }

    public long Sent { get; private set; }

    public long Lost { get; private set; }

    public long Duplicated { get; private set; }

    /// <summary>Sends: <paramref name="deliver"/> runs at the receiver's end never, once or twice.</summary>
    public void Send(int from, int to, Action deliver)
    {
        Sent++;
        var random = _random[from, to];
        var lost = random.Chance(Faults.Loss);
        var copies = random.Chance(Faults.Duplicate) ? 2 : 1;
        if (lost || _cut[from, to])
        {
            Lost++;
            return;
        }

        if (copies == 2) Duplicated++;
        for (var copy = 0; copy < copies; copy++)
        {
            var delay = random.Next(Faults.MinDelayMicros, Faults.MaxDelayMicros + 1) + _extraDelayMicros[from, to];
            if (random.Chance(Faults.Straggle)) delay += random.Next(Faults.MaxStraggleMicros + 1);
            _world.After(delay, () =>
            {
                if (_cut[from, to]) Lost++;
                else deliver();
            });
        }
    }

    /// <summary>Cuts one direction of a link.</summary>
    public void Cut(int from, int to) => _cut[from, to] = true;

    /// <summary>Makes one direction slower.</summary>
    public void Slow(int from, int to, int extraDelayMicros) => _extraDelayMicros[from, to] = extraDelayMicros;

    /// <summary>Cuts both directions between every member of <paramref name="side"/> and every other endpoint below <paramref name="count"/>.</summary>
    public void Partition(IReadOnlyCollection<int> side, int count)
    {
        for (var a = 0; a < count; a++)
            for (var b = 0; b < count; b++)
                if (side.Contains(a) != side.Contains(b)) _cut[a, b] = true;
    }

    /// <summary>Both directions of one link work again.</summary>
    public void Join(int a, int b) => _cut[a, b] = _cut[b, a] = false;

    /// <summary>Every link works again, at its ordinary speed.</summary>
    public void Mend()
    {
        Array.Clear(_cut);
        Array.Clear(_extraDelayMicros);
    }
}
