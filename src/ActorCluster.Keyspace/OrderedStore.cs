using System.Diagnostics.CodeAnalysis;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace;

/// <summary>
/// An ordered map of texts (by UTF-16 code unit) in memory, with snapshots that cost nothing to take: a B+ tree whose
/// nodes are copied on the first write after a capture, and changed in place otherwise.
/// Invariant: a node whose edit is older than the store's belongs to a capture too and never changes again; so a captured
/// view may be read on another thread while the store goes on.
/// </summary>
/// <typeparam name="TValue">What is stored; a struct is stored in the node itself.</typeparam>
public sealed class OrderedStore<TValue>
{
    const int Capacity = 32;
    const int MergeBelow = Capacity / 4;
    const int MergeUpTo = Capacity * 3 / 4;

    Node _root;
    ulong _edit = 1;

    // The second half of a node that an insert had to split, handed from child to parent.
    Node? _splitRight;
    string _splitKey = "";

    public OrderedStore() => _root = new Leaf(_edit);

    public int Count { get; private set; }

    public bool TryGet(string key, [MaybeNullWhen(false)] out TValue value) => TryGet(_root, key, out value);

    /// <summary>Sets a value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The new value.</param>
    /// <param name="previous">The value before, when there was one.</param>
    /// <returns>Whether the key was there.</returns>
    public bool Set(string key, TValue value, [MaybeNullWhen(false)] out TValue previous)
    {
        var root = Set(_root, key, value, out var existed, out previous);
        if (_splitRight is { } right)
        {
            _splitRight = null;
            var parent = new Inner(_edit) { Count = 2 };
            parent.Children[0] = root;
            parent.Children[1] = right;
            parent.Keys[1] = _splitKey;
            root = parent;
        }

        _root = root;
        if (!existed) Count++;
        return existed;
    }

    /// <summary>Removes a key; a missing one is fine.</summary>
    /// <returns>Whether the key was there.</returns>
    public bool Remove(string key, [MaybeNullWhen(false)] out TValue previous)
    {
        // Looked up first, so that removing a missing key copies nothing.
        if (!TryGet(key, out previous)) return false;
        _root = Remove(_root, key);
        while (_root is Inner { Count: 1 } inner) _root = inner.Children[0];
        Count--;
        return true;
    }

    /// <summary>The map as it is now; costs nothing until the next write.</summary>
    public View Capture()
    {
        var view = new View(_root, Count);
        _edit++;
        return view;
    }

    static bool TryGet(Node node, string key, [MaybeNullWhen(false)] out TValue value)
    {
        while (node is Inner inner) node = inner.Children[inner.ChildOf(key)];
        var leaf = (Leaf)node;
        var index = leaf.IndexOf(key);
        if (index < 0)
        {
            value = default;
            return false;
        }

        value = leaf.Values[index];
        return true;
    }

    Node Set(Node node, string key, TValue value, out bool existed, out TValue? previous)
    {
        if (node is Inner inner)
        {
            inner = inner.OwnedBy(_edit);
            var at = inner.ChildOf(key);
            inner.Children[at] = Set(inner.Children[at], key, value, out existed, out previous);
            if (_splitRight is { } right)
            {
                _splitRight = null;
                InsertChild(inner, at + 1, _splitKey, right);
            }

            return inner;
        }

        var leaf = ((Leaf)node).OwnedBy(_edit);
        var index = leaf.IndexOf(key);
        if (index >= 0)
        {
            existed = true;
            previous = leaf.Values[index];
            leaf.Values[index] = value;
            return leaf;
        }

        existed = false;
        previous = default;
        index = ~index;
        if (leaf.Count < Capacity)
        {
            leaf.Insert(index, key, value);
            return leaf;
        }

        // Keys that only ever grow fill their leaves: split at the end when the new key is the last.
        var keep = index == Capacity ? Capacity : Capacity / 2;
        var next = new Leaf(_edit);
        leaf.MoveTail(keep, next);
        if (index >= keep) next.Insert(index - keep, key, value);
        else leaf.Insert(index, key, value);
        _splitRight = next;
        _splitKey = next.Keys[0];
        return leaf;
    }

    void InsertChild(Inner inner, int index, string key, Node child)
    {
        if (inner.Count < Capacity)
        {
            inner.Insert(index, key, child);
            return;
        }

        var keep = index == Capacity ? Capacity - 1 : Capacity / 2;
        var right = new Inner(_edit);
        var separator = inner.Keys[keep];
        inner.MoveTail(keep, right);
        if (index > keep) right.Insert(index - keep, key, child);
        else inner.Insert(index, key, child);
        _splitRight = right;
        _splitKey = separator;
    }

    Node Remove(Node node, string key)
    {
        if (node is Leaf leaf)
        {
            leaf = leaf.OwnedBy(_edit);
            leaf.RemoveAt(leaf.IndexOf(key));
            return leaf;
        }

        var inner = ((Inner)node).OwnedBy(_edit);
        var at = inner.ChildOf(key);
        var child = inner.Children[at] = Remove(inner.Children[at], key);
        if (child.Count == 0)
        {
            if (inner.Count > 1) inner.RemoveAt(at);
        }
        else if (child.Count < MergeBelow && inner.Count > 1)
        {
            var left = at > 0 ? at - 1 : at;
            if (inner.Children[left].Count + inner.Children[left + 1].Count <= MergeUpTo) Merge(inner, left);
        }

        return inner;
    }

    void Merge(Inner parent, int left)
    {
        var separator = parent.Keys[left + 1];
        switch (parent.Children[left], parent.Children[left + 1])
        {
            case (Leaf a, Leaf b):
                a = a.OwnedBy(_edit);
                a.Append(b);
                parent.Children[left] = a;
                break;
            case (Inner a, Inner b):
                a = a.OwnedBy(_edit);
                a.Append(separator, b);
                parent.Children[left] = a;
                break;
            default:
                Invariant.Fail("same height", "neighbours in the tree differ in height");
                break;
        }

        parent.RemoveAt(left + 1);
    }

    /// <summary>The map at one moment. Safe to read on any thread.</summary>
    public sealed class View
    {
        readonly Node _root;

        internal View(Node root, int count)
        {
            _root = root;
            Count = count;
        }

        public int Count { get; }

        public bool TryGet(string key, [MaybeNullWhen(false)] out TValue value) => OrderedStore<TValue>.TryGet(_root, key, out value);

        /// <summary>All entries in the order of their keys.</summary>
        public IEnumerable<KeyValuePair<string, TValue>> Entries()
        {
            var path = new Stack<(Inner Node, int Next)>();
            var node = _root;
            while (true)
            {
                while (node is Inner inner)
                {
                    path.Push((inner, 1));
                    node = inner.Children[0];
                }

                var leaf = (Leaf)node;
                for (var i = 0; i < leaf.Count; i++) yield return new(leaf.Keys[i], leaf.Values[i]);

                while (path.TryPop(out var top))
                {
                    if (top.Next >= top.Node.Count) continue;
                    path.Push((top.Node, top.Next + 1));
                    node = top.Node.Children[top.Next];
                    break;
                }

                if (path.Count == 0) yield break;
            }
        }
    }

    internal abstract class Node(ulong edit)
    {
        public readonly ulong Edit = edit;
        public readonly string[] Keys = new string[Capacity];
        public int Count;
    }

    sealed class Leaf(ulong edit) : Node(edit)
    {
        public readonly TValue[] Values = new TValue[Capacity];

        public int IndexOf(string key)
        {
            int low = 0, high = Count - 1;
            while (low <= high)
            {
                var middle = (low + high) >>> 1;
                var order = string.CompareOrdinal(Keys[middle], key);
                if (order == 0) return middle;
                if (order < 0) low = middle + 1;
                else high = middle - 1;
            }

            return ~low;
        }

        public Leaf OwnedBy(ulong edit)
        {
            if (Edit == edit) return this;
            var copy = new Leaf(edit) { Count = Count };
            Array.Copy(Keys, copy.Keys, Count);
            Array.Copy(Values, copy.Values, Count);
            return copy;
        }

        public void Insert(int index, string key, TValue value)
        {
            Array.Copy(Keys, index, Keys, index + 1, Count - index);
            Array.Copy(Values, index, Values, index + 1, Count - index);
            Keys[index] = key;
            Values[index] = value;
            Count++;
        }

        public void RemoveAt(int index)
        {
            Count--;
            Array.Copy(Keys, index + 1, Keys, index, Count - index);
            Array.Copy(Values, index + 1, Values, index, Count - index);
            Keys[Count] = null!;
            Values[Count] = default!;
        }

        public void MoveTail(int from, Leaf target)
        {
            target.Count = Count - from;
            Array.Copy(Keys, from, target.Keys, 0, target.Count);
            Array.Copy(Values, from, target.Values, 0, target.Count);
            Array.Clear(Keys, from, target.Count);
            Array.Clear(Values, from, target.Count);
            Count = from;
        }

        public void Append(Leaf other)
        {
            Array.Copy(other.Keys, 0, Keys, Count, other.Count);
            Array.Copy(other.Values, 0, Values, Count, other.Count);
            Count += other.Count;
        }
    }

    /// <summary>Keys[i], i ≥ 1, is a lower bound of all keys below Children[i] and above all keys below Children[i - 1]; Keys[0] is unused.</summary>
    sealed class Inner(ulong edit) : Node(edit)
    {
        public readonly Node[] Children = new Node[Capacity];

        public int ChildOf(string key)
        {
            int low = 1, high = Count - 1;
            while (low <= high)
            {
                var middle = (low + high) >>> 1;
                if (string.CompareOrdinal(Keys[middle], key) <= 0) low = middle + 1;
                else high = middle - 1;
            }

            return low - 1;
        }

        public Inner OwnedBy(ulong edit)
        {
            if (Edit == edit) return this;
            var copy = new Inner(edit) { Count = Count };
            Array.Copy(Keys, copy.Keys, Count);
            Array.Copy(Children, copy.Children, Count);
            return copy;
        }

        public void Insert(int index, string key, Node child)
        {
            Array.Copy(Keys, index, Keys, index + 1, Count - index);
            Array.Copy(Children, index, Children, index + 1, Count - index);
            Keys[index] = key;
            Children[index] = child;
            Count++;
        }

        public void RemoveAt(int index)
        {
            Count--;
            Array.Copy(Keys, index + 1, Keys, index, Count - index);
            Array.Copy(Children, index + 1, Children, index, Count - index);
            Keys[Count] = null!;
            Children[Count] = null!;
        }

        public void MoveTail(int from, Inner target)
        {
            target.Count = Count - from;
            Array.Copy(Keys, from, target.Keys, 0, target.Count);
            Array.Copy(Children, from, target.Children, 0, target.Count);
            Array.Clear(Keys, from, target.Count);
            Array.Clear(Children, from, target.Count);
            Count = from;
        }

        public void Append(string separator, Inner other)
        {
            Array.Copy(other.Keys, 0, Keys, Count, other.Count);
            Array.Copy(other.Children, 0, Children, Count, other.Count);
            Keys[Count] = separator;
            Count += other.Count;
        }
    }
}
