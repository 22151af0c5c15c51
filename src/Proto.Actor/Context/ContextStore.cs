namespace Proto;

/// <summary>Values by type, safe from several threads (the root context is shared).</summary>
internal sealed class ContextStore
{
    private readonly Dictionary<Type, object> _values = [];
    private readonly Lock _gate = new();

    public T? Get<T>()
    {
        lock (_gate) return _values.TryGetValue(typeof(T), out var value) ? (T)value : default;
    }

    public void Set<T>(T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_gate) _values[typeof(T)] = value;
    }

    public void Remove<T>()
    {
        lock (_gate) _values.Remove(typeof(T));
    }
}
