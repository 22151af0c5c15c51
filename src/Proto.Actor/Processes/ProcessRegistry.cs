using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;

namespace Proto;

/// <summary>The processes of one actor system by id, and the way to processes of others.</summary>
public sealed class ProcessRegistry
{
    private readonly ConcurrentDictionary<string, Process> _processes = new(StringComparer.Ordinal);
    private readonly ActorSystem _system;
    private ImmutableArray<Func<PID, Process?>> _hostResolvers = [];
    private Func<string, Process?>? _clientResolver;
    private long _lastId;

    internal ProcessRegistry(ActorSystem system) => _system = system;

    public int ProcessCount => _processes.Count;

    /// <summary>Adds a way to reach other addresses. Resolvers are asked in the order in which they came; null means "not mine".</summary>
    public void RegisterHostResolver(Func<PID, Process?> resolver) =>
        ImmutableInterlocked.Update(ref _hostResolvers, static (all, added) => all.Add(added), resolver);

    /// <summary>The process behind the PID; dead letters when there is none.</summary>
    public Process Get(PID pid)
    {
        if (IsLocal(pid.Address)) return GetLocal(pid.Id);

        foreach (var resolver in _hostResolvers)
        {
            if (resolver(pid) is { } process) return process;
        }

        return _system.DeadLetter;
    }

    /// <summary>Sets the way to clients connected here, whose actors have local ids that begin with <see cref="ActorSystem.Client"/>.</summary>
    public void RegisterClientResolver(Func<string, Process?> resolver) => _clientResolver = resolver;

    public Process GetLocal(string id)
    {
        if (_processes.TryGetValue(id, out var process)) return process;

        return id.StartsWith(ActorSystem.Client, StringComparison.Ordinal) && _clientResolver?.Invoke(id) is { } client ? client : _system.DeadLetter;
    }

    /// <summary>The PIDs of local processes whose id fulfils the condition, in the order of their ids.</summary>
    public IEnumerable<PID> Find(Func<string, bool> predicate) =>
        _processes
            .Where(entry => predicate(entry.Key))
            .OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => new PID(_system.Address, entry.Key, entry.Value));

    /// <summary>The PIDs of local processes whose id contains the text, whatever its case.</summary>
    public IEnumerable<PID> Find(string pattern) => Find(id => id.Contains(pattern, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc cref="Find(string)"/>
    public IEnumerable<PID> SearchByName(string pattern) => Find(pattern);

    /// <summary>Names a process. Returns its PID and true, or the PID of the one that has the name and false.</summary>
    public (PID pid, bool ok) TryAdd(string id, Process process)
    {
        if (_processes.TryAdd(id, process)) return (new PID(_system.Address, id, process), true);

        return (new PID(_system.Address, id), false);
    }

    public void Remove(PID pid)
    {
        if (_processes.TryRemove(pid.Id, out var process)) process.IsDead = true;
    }

    /// <summary>An id that this system gives once: <c>$1</c>, <c>$2</c>, …</summary>
    public string NextId() => string.Create(CultureInfo.InvariantCulture, $"${Interlocked.Increment(ref _lastId)}");

    /// <summary>In the order of their ids: the dictionary's own differs between OS processes.</summary>
    internal IEnumerable<Process> Processes => _processes.ToArray().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value);

    // A PID made before the system had an address keeps "nonhost".
    internal bool IsLocal(string address) =>
        string.Equals(address, ActorSystem.NoHost, StringComparison.Ordinal) || string.Equals(address, _system.Address, StringComparison.Ordinal);
}
