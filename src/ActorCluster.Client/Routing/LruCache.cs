using System.Diagnostics.CodeAnalysis;

namespace ActorCluster.Client.Routing;

/// <summary>A bounded map that forgets what was not used for longest. Safe to call from any thread.</summary>
sealed class LruCache<TKey, TValue>(int capacity) where TKey : notnull
{
    readonly Lock _gate = new();
    readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();

    public int Count
    {
        get
        {
            lock (_gate) return _nodes.Count;
        }
    }

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_gate)
        {
            if (!_nodes.TryGetValue(key, out var node))
            {
                value = default;
                return false;
            }

            _byUse.Remove(node);
            _byUse.AddLast(node);
            value = node.Value.Value;
            return true;
        }
    }

    public void Set(TKey key, TValue value)
    {
        lock (_gate)
        {
            if (_nodes.Remove(key, out var old)) _byUse.Remove(old);
            else if (_nodes.Count >= capacity) RemoveOldest();
            _nodes[key] = _byUse.AddLast((key, value));
        }
    }

    /// <summary>Replaces the value, but only while it still says what the caller saw: somebody else may have renewed it.</summary>
    public void ReplaceIf(TKey key, Func<TValue, bool> stillSays, Func<TValue, TValue> replace)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(key, out var node) && stillSays(node.Value.Value)) node.Value = (key, replace(node.Value.Value));
        }
    }

    /// <summary>Replaces every value that is so; keeps the order of use.</summary>
    public void ReplaceWhere(Func<TValue, bool> isSo, Func<TValue, TValue> replace)
    {
        lock (_gate)
        {
            for (var node = _byUse.First; node is not null; node = node.Next)
            {
                if (isSo(node.Value.Value)) node.Value = (node.Value.Key, replace(node.Value.Value));
            }
        }
    }

    void RemoveOldest()
    {
        var oldest = _byUse.First!;
        _byUse.RemoveFirst();
        _nodes.Remove(oldest.Value.Key);
    }
}
