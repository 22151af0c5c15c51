using FsCheck;
using FsCheck.Fluent;

namespace ActorCluster.Keyspace.Tests;

public class OrderedStoreTests
{
    sealed record Step(byte Kind, int Key, int Value);

    static readonly Arbitrary<Step[]> Steps = (
        from size in Gen.Choose(1, 3000)
        from range in Gen.Elements(10, 200, 5000)
        from steps in (
            from kind in Gen.Choose(0, 99)
            from key in Gen.Choose(0, range)
            from value in Gen.Choose(0, 1000)
            select new Step((byte)kind, key, value)).ArrayOf(size)
        select steps).ToArbitrary();

    /// <summary>The store against a sorted dictionary; captured views must stay as they were, whatever is written later.</summary>
    [Theory]
    [InlineData(60)]
    [InlineData(35)]
    public void It_behaves_like_a_sorted_dictionary_and_captures_never_change(int setPercent) =>
        Prop.ForAll(Steps, steps =>
        {
            var store = new OrderedStore<int>();
            var model = new SortedDictionary<string, int>(StringComparer.Ordinal);
            var captured = new List<(OrderedStore<int>.View View, KeyValuePair<string, int>[] Expected)>();
            foreach (var step in steps)
            {
                var key = $"k{step.Key}";
                if (step.Kind == 99)
                {
                    captured.Add((store.Capture(), [.. model]));
                }
                else if (step.Kind < setPercent)
                {
                    Assert.Equal(model.TryGetValue(key, out var before), store.Set(key, step.Value, out var previous));
                    Assert.Equal(before, previous);
                    model[key] = step.Value;
                }
                else
                {
                    Assert.Equal(model.Remove(key, out var before), store.Remove(key, out var previous));
                    Assert.Equal(before, previous);
                }

                Assert.Equal(model.Count, store.Count);
                Assert.Equal(model.TryGetValue(key, out var value), store.TryGet(key, out var stored));
                Assert.Equal(value, stored);
            }

            captured.Add((store.Capture(), [.. model]));
            foreach (var (view, expected) in captured)
            {
                Assert.Equal(expected.Length, view.Count);
                Assert.Equal(expected, view.Entries());
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Many_keys_in_order_and_all_removed_again(bool ascending)
    {
        const int count = 20_000;
        var store = new OrderedStore<int>();
        var keys = Enumerable.Range(0, count).Select(i => i.ToString("D6", null)).ToArray();
        foreach (var i in ascending ? Enumerable.Range(0, count) : Enumerable.Range(0, count).Reverse()) store.Set(keys[i], i, out _);
        Assert.Equal(keys, store.Capture().Entries().Select(e => e.Key));
        foreach (var i in Enumerable.Range(0, count)) Assert.True(store.Remove(keys[i], out _));
        Assert.Equal(0, store.Count);
        Assert.Empty(store.Capture().Entries());
    }

    [Fact]
    public void Reading_and_overwriting_allocate_nothing()
    {
        var store = new OrderedStore<int>();
        var keys = Enumerable.Range(0, 10_000).Select(i => $"key-{i}").ToArray();
        foreach (var key in keys) store.Set(key, 0, out _);
        for (var i = 0; i < 100; i++) store.Set(keys[i], i, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < keys.Length; i++)
        {
            store.Set(keys[i], i, out _);
            store.TryGet(keys[i], out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
