using System.Collections.Concurrent;

namespace Proto;

/// <summary>The supervisors of actors that the root context spawned: one per strategy.</summary>
public sealed class Guardians
{
    private readonly ConcurrentDictionary<ISupervisorStrategy, Lazy<GuardianProcess>> _guardians = new();
    private readonly ActorSystem _system;

    internal Guardians(ActorSystem system) => _system = system;

    public PID GetGuardianPid(ISupervisorStrategy strategy) =>
        _guardians.GetOrAdd(strategy, static (key, system) => new Lazy<GuardianProcess>(() => new GuardianProcess(system, key)), _system).Value.Pid;
}
