namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>Which virtual actors run where. Each identity runs once at a time.</summary>
sealed class Activations
{
    readonly Dictionary<string, HashSet<ActorSystem>> _runningByIdentity = new(StringComparer.Ordinal);
    readonly HashSet<ActorSystem> _dead = [];
    readonly List<string> _wrong = [];

    public void Started(string identity, ActorSystem system)
    {
        if (!_runningByIdentity.TryGetValue(identity, out var running)) _runningByIdentity[identity] = running = [];
        if (running.FirstOrDefault(other => !_dead.Contains(other)) is { } other)
            _wrong.Add($"{identity} was started at {system.Address} while it ran at {other.Address}");
        running.Add(system);
    }

    public void Stopped(string identity, ActorSystem system) => _runningByIdentity[identity].Remove(system);

    public void Died(ActorSystem system) => _dead.Add(system);

    public void Verify() => Check.That(_wrong.Count == 0, string.Join('\n', _wrong));
}
