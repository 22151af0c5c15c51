namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>How requests ended: each exactly once, and the messages of each sender in order, none twice.</summary>
sealed class Outcomes
{
    readonly Dictionary<string, int> _ended = new(StringComparer.Ordinal);
    readonly Dictionary<string, int> _lastReceived = new(StringComparer.Ordinal);
    readonly HashSet<string> _executed = new(StringComparer.Ordinal);
    readonly List<string> _wrong = []; // not thrown where it is seen: an actor's failure is its supervisor's

    readonly SortedSet<string> _met = new(StringComparer.Ordinal);

    /// <summary>The receiver got message <paramref name="number"/> of the pair.</summary>
    public void Received(string pair, int number)
    {
        if (_lastReceived.TryGetValue(pair, out var last) && number <= last) _wrong.Add($"{pair}: {number} arrived after {last}");
        _lastReceived[pair] = number;
    }

    /// <summary>Waits for the request's one outcome.</summary>
    public async Task OfAsync(string request, Func<Task> answer)
    {
        try
        {
            await answer();
            _met.Add("answer");
        }
        catch (Exception failure) when (failure is TimeoutException or DeadLetterException)
        {
            _met.Add(failure.GetType().Name);
        }

        _ended[request] = _ended.GetValueOrDefault(request) + 1;
    }

    public void Executed(string request)
    {
        if (!_executed.Add(request)) _wrong.Add($"{request} was executed twice");
    }

    public void Verify(int requests, Coverage? coverage = null)
    {
        foreach (var (request, times) in _ended)
        {
            if (times != 1) _wrong.Add($"{request} ended {times} times");
        }

        if (_ended.Count != requests) _wrong.Add($"{requests} requests, {_ended.Count} ended");
        foreach (var met in _met) coverage?.Saw(met);
        Check.That(_wrong.Count == 0, string.Join('\n', _wrong));
    }
}
