namespace Proto.Router;

/// <summary>
/// Consistent hashing (Karger et al., 1997): every node has several points on a ring of 32-bit hashes, and a key belongs to the first point at or
/// after its hash. A node that comes or goes moves only its own share of the keys. Immutable.
/// </summary>
public sealed class HashRing<T>
{
    private readonly Func<string, uint> _hash;
    private readonly uint[] _points;
    private readonly T[] _nodes; // by point

    /// <param name="nodes">May be empty.</param>
    /// <param name="getKey">Name of a node; point i is the hash of <c>i + name</c>.</param>
    /// <param name="hash">Hash of a text.</param>
    /// <param name="replicaCount">Points per node. More spread the keys more evenly.</param>
    public HashRing(IEnumerable<T> nodes, Func<T, string> getKey, Func<string, uint> hash, int replicaCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicaCount, 1);
        _hash = hash;
        // Equal hashes are ordered by name: every process must build the same ring, whatever the order of the nodes.
        var ring = nodes
            .Select(node => (Node: node, Key: getKey(node)))
            .SelectMany(node => Enumerable.Range(0, replicaCount).Select(i => (Point: hash(i + node.Key), node.Key, node.Node)))
            .OrderBy(point => point.Point)
            .ThenBy(point => point.Key, StringComparer.Ordinal)
            .ToList();
        _points = [.. ring.Select(point => point.Point)];
        _nodes = [.. ring.Select(point => point.Node)];
    }

    /// <exception cref="InvalidOperationException">The ring has no nodes.</exception>
    public T GetNode(string key)
    {
        if (_nodes.Length == 0) throw new InvalidOperationException("the hash ring has no nodes");

        return _nodes[FirstAtOrAfter(_hash(key))];
    }

    private int FirstAtOrAfter(uint hash)
    {
        var (low, high) = (0, _points.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_points[middle] < hash) low = middle + 1;
            else high = middle;
        }

        return low == _points.Length ? 0 : low;
    }
}
