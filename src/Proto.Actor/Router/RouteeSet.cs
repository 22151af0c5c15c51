using System.Collections.Immutable;

namespace Proto.Router;

/// <summary>The routees of one router, changed from any thread.</summary>
internal sealed class RouteeSet(RoutingLogic logic)
{
    private readonly Lock _gate = new();
    private ImmutableArray<PID> _routees = [];

    public RoutingLogic Logic => logic;

    public ImmutableArray<PID> Current
    {
        get
        {
            lock (_gate) return _routees;
        }
    }

    /// <summary>False when it is there already.</summary>
    public bool Add(PID pid)
    {
        lock (_gate)
        {
            if (_routees.Contains(pid)) return false;

            Set(_routees.Add(pid));
            return true;
        }
    }

    /// <summary>False when it is not there.</summary>
    public bool Remove(PID pid)
    {
        lock (_gate)
        {
            if (!_routees.Contains(pid)) return false;

            Set(_routees.Remove(pid));
            return true;
        }
    }

    private void Set(ImmutableArray<PID> routees)
    {
        _routees = routees;
        logic.SetRoutees(routees);
    }
}
