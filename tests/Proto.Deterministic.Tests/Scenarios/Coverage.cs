namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>What the runs of a swarm met: a fault that never comes up tests nothing.</summary>
sealed class Coverage
{
    readonly SortedDictionary<string, int> _times = new(StringComparer.Ordinal);

    public void Saw(string what) => _times[what] = _times.GetValueOrDefault(what) + 1;

    public void MustHave(params IEnumerable<string> all)
    {
        var missed = all.Where(what => !_times.ContainsKey(what)).ToArray();
        Assert.True(missed.Length == 0, $"never met: {string.Join(", ", missed)}; met: {string.Join(", ", _times.Select(seen => $"{seen.Key} {seen.Value}"))}");
    }
}
