using System.Collections;

namespace Proto;

/// <summary>A set of PIDs that is cheap while it holds one. Enumerates a snapshot, so the set may change meanwhile.</summary>
internal sealed class PidSet : IReadOnlyCollection<PID>
{
    private PID? _single;
    private HashSet<PID>? _many;

    public int Count => _many?.Count ?? (_single is null ? 0 : 1);

    public bool Contains(PID pid) => _many?.Contains(pid) ?? pid.Equals(_single);

    public void Add(PID pid)
    {
        if (_many is not null) _many.Add(pid);
        else if (_single is null) _single = pid;
        else if (!_single.Equals(pid))
        {
            _many = [_single, pid];
            _single = null;
        }
    }

    public bool Remove(PID pid)
    {
        if (_many is not null) return _many.Remove(pid);
        if (!pid.Equals(_single)) return false;

        _single = null;
        return true;
    }

    public IEnumerator<PID> GetEnumerator()
    {
        PID[] snapshot = _many is not null ? [.. _many] : _single is not null ? [_single] : [];
        return ((IEnumerable<PID>)snapshot).GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
