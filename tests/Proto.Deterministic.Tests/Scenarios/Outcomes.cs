using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// What became of messages and requests: the messages of each sender arrive in order and none twice, each request ends exactly once, and what
/// was reported as certainly not delivered was not.
/// </summary>
sealed class Outcomes
{
    readonly Dictionary<string, int> _ended = new(StringComparer.Ordinal); // how often each request did
    readonly Dictionary<string, int> _lastReceived = new(StringComparer.Ordinal);
    readonly HashSet<string> _received = new(StringComparer.Ordinal);
    readonly HashSet<string> _certainlyNot = new(StringComparer.Ordinal);
    readonly SortedSet<string> _met = new(StringComparer.Ordinal);
    readonly List<string> _wrong = []; // not thrown where it is seen: an actor's failure is its supervisor's

    /// <summary>The messages of one sender reach this receiver in order.</summary>
    public void ReceivedInOrder(Ping ping, string receiver)
    {
        var pair = $"{ping.From} to {receiver}";
        if (_lastReceived.TryGetValue(pair, out var last) && ping.Number <= last) _wrong.Add($"{pair}: {ping.Number} arrived after {last}");
        _lastReceived[pair] = ping.Number;
        Received(ping);
    }

    public void Received(Ping ping)
    {
        if (!_received.Add(NameOf(ping))) _wrong.Add($"{NameOf(ping)} was received twice");
    }

    /// <summary>Hears what the system reports as undeliverable.</summary>
    public void Observe(ActorSystem system) => system.EventStream.Subscribe<DeadLetterEvent>(dead =>
    {
        if (dead.Message is not Ping ping) return;
        _met.Add(dead.Outcome == DeliveryOutcome.NotDelivered ? "dead letter" : "letter of unknown fate");
        if (dead.Outcome == DeliveryOutcome.NotDelivered) _certainlyNot.Add(NameOf(ping));
    });

    /// <summary>Waits for the request's one outcome.</summary>
    public async Task OfAsync(Ping request, Func<Task> answer)
    {
        var name = NameOf(request);
        _ended.TryAdd(name, 0);
        try
        {
            await answer();
            _met.Add("answer");
            if (!_received.Contains(name)) _wrong.Add($"{name} was answered, and nobody received it");
        }
        catch (DeadLetterException)
        {
            _met.Add(nameof(DeadLetterException));
            _certainlyNot.Add(name);
        }
        catch (TimeoutException late)
        {
            _met.Add(late.GetType().Name);
            if (late.Message.Contains("nothing was executed", StringComparison.Ordinal)) _certainlyNot.Add(name);
        }

        _ended[name]++;
    }

    public void Verify(Coverage coverage)
    {
        foreach (var (request, times) in _ended)
        {
            if (times != 1) _wrong.Add($"{request} ended {times} times");
        }

        foreach (var name in _certainlyNot)
        {
            if (_received.Contains(name)) _wrong.Add($"{name} was reported as not delivered, and was received");
        }

        foreach (var met in _met) coverage.Saw(met);
        Check.That(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    static string NameOf(Ping ping) => $"{ping.From}#{ping.Number}";
}
