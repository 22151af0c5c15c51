using System.Collections.Concurrent;
using System.Globalization;
using ActorCluster.Client;
using ActorCluster.Protocol.Grains;
using ActorCluster.Raft;
using ActorCluster.Simulation.Histories;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>
/// Concurrent work while things go wrong: HTTP writers and readers of a few keys through all nodes, and client sessions
/// that count. Everything is recorded; afterwards the history is judged.
/// </summary>
sealed class Load : IAsyncDisposable
{
    const int HttpWorkers = 6;
    const int CountingWorkers = 2;
    const int Keys = 24;
    const int Counters = 3;

    readonly ProcessCluster _cluster;
    readonly string _prefix;
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _workers = [];

    /// <summary>Who answered what, for the report of a failure.</summary>
    readonly ConcurrentDictionary<long, string> _answers = [];
    readonly ActorClusterClient _client;
    int _acknowledged;

    Load(ProcessCluster cluster, string prefix, ActorClusterClient client)
    {
        _cluster = cluster;
        _prefix = prefix;
        _client = client;
    }

    public HistoryRecorder History { get; } = new();

    /// <summary>Writes acknowledged so far.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    public static async Task<Load> StartAsync(ProcessCluster cluster, string prefix)
    {
        var client = await ActorClusterClient.ConnectAsync(cluster.Addresses, new ActorClusterClientOptions { RequestTimeout = TimeSpan.FromSeconds(30) });
        var load = new Load(cluster, prefix, client);
        for (var i = 0; i < HttpWorkers; i++)
        {
            var worker = i;
            load._workers.Add(Task.Run(() => load.WorkAsync(worker)));
        }

        for (var i = 0; i < CountingWorkers; i++)
        {
            var worker = HttpWorkers + i;
            load._workers.Add(Task.Run(() => load.CountAsync(worker)));
        }

        return load;
    }

    /// <summary>Waits until so many more writes were acknowledged: the service works.</summary>
    public Task MakesProgressAsync(int writes, TimeSpan within)
    {
        var from = Acknowledged;
        return Eventually.HoldsAsync(
            within,
            () =>
            {
                foreach (var worker in _workers.Where(w => w.IsFaulted)) worker.GetAwaiter().GetResult();
                return Task.FromResult(Acknowledged - from >= writes ? null : $"{Acknowledged - from} writes were acknowledged of {writes} hoped for");
            },
            _cluster.Logs);
    }

    /// <summary>Ends the work, reads every key through every node, and judges the history. Returns what it was, for people.</summary>
    public async Task<string> JudgeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers);
        for (var key = 0; key < Keys; key++)
            foreach (var node in _cluster.Running) await ScanAsync(KeyName(key), node);
        for (var counter = 0; counter < Counters; counter++) await AddAsync(HttpWorkers + CountingWorkers, CounterName(counter), 0);

        var operations = History.Operations;
        var result = LinearizabilityChecker.Check(operations);
        Assert.True(
            result.Ok,
            $"{result.Key} is {result.Verdict} in a history of {operations.Count} operations: {result.Explanation}\nAll of the key:\n"
            + string.Join('\n', operations.Where(o => o.Key == result.Key).Select(o => $"{o} {_answers.GetValueOrDefault(o.Invoked)}"))
            + $"\n{_cluster.Logs()}");
        // A history in which nothing was acknowledged is linearizable, too.
        Assert.True(operations.Count(o => o.Outcome == OperationOutcome.Ok) > operations.Count / 4, "hardly anything was answered");
        JudgeCounters(operations);
        return string.Join(", ", operations.GroupBy(o => (o.Kind, o.Outcome)).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key.Kind} {g.Key.Outcome}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.DisposeAsync();
        _stop.Dispose();
    }

    /// <summary>Plain arithmetic beside the checker: what was acknowledged counts once, what is unknown at most once.</summary>
    static void JudgeCounters(IReadOnlyList<Operation> operations)
    {
        foreach (var counter in operations.Where(o => o.Kind == OperationKind.Add).GroupBy(o => o.Key))
        {
            var final = counter.Where(o => o.Outcome == OperationOutcome.Ok).Max(o => long.Parse(o.Result!, CultureInfo.InvariantCulture));
            var acknowledged = counter.Where(o => o.Outcome == OperationOutcome.Ok).Sum(Amount);
            var unknown = counter.Where(o => o.Outcome == OperationOutcome.Unknown).Sum(Amount);
            Assert.InRange(final, acknowledged, acknowledged + unknown);
        }

        static long Amount(Operation o) => long.Parse(o.Argument!, CultureInfo.InvariantCulture);
    }

    async Task WorkAsync(int worker)
    {
        var random = new Xoshiro256((ulong)worker + 1);
        for (var i = 0; !_stop.IsCancellationRequested; i++)
        {
            var node = _cluster.Nodes[random.Next(_cluster.Nodes.Count)];
            // Now and then one that is down or stands still; always would only show that it is.
            if ((!node.IsRunning || node.IsPaused) && !random.Chance(0.02)) node = _cluster.Running.FirstOrDefault() ?? node;
            var key = KeyName(random.Next(Keys));
            var kind = random.Next(10) switch { < 5 => OperationKind.Put, 5 => OperationKind.Delete, _ => OperationKind.Get };
            var value = kind == OperationKind.Put ? string.Create(CultureInfo.InvariantCulture, $"{worker}.{i}") : null;
            var pending = History.Invoke(worker, key, kind, value);
            var answer = kind switch
            {
                OperationKind.Put => await node.Http.PutAsync(key, value!),
                OperationKind.Delete => await node.Http.DeleteAsync(key),
                _ => await node.Http.GetAsync(key),
            };
            _answers[pending.Operation.Invoked] = $"({node.Name}: {answer})";
            Record(pending, kind, answer);
            if (answer.IsOk && kind != OperationKind.Get) Interlocked.Increment(ref _acknowledged);
            await PaceAsync(answer.Outcome);
        }
    }

    /// <summary>A pace at which the checker, and a machine that runs other things too, can follow.</summary>
    static Task PaceAsync(OperationOutcome outcome) => Task.Delay(outcome == OperationOutcome.Ok ? 5 : 50);

    static void Record(PendingOperation pending, OperationKind kind, Answer answer)
    {
        switch (answer.Outcome)
        {
            case OperationOutcome.Ok when kind == OperationKind.Get:
                pending.Ok(answer.Value);
                break;
            case OperationOutcome.Ok:
                pending.Ok();
                break;
            case OperationOutcome.NotExecuted:
                pending.NotExecuted();
                break;
            default:
                pending.Unknown();
                break;
        }
    }

    async Task CountAsync(int worker)
    {
        var random = new Xoshiro256((ulong)worker + 1);
        while (!_stop.IsCancellationRequested)
            await PaceAsync(await AddAsync(worker, CounterName(random.Next(Counters)), random.Next(1, 100)));
    }

    async Task<OperationOutcome> AddAsync(int worker, string counter, int amount)
    {
        var pending = History.Invoke(worker, counter, OperationKind.Add, amount.ToString(CultureInfo.InvariantCulture));
        try
        {
            var reply = await _client.Grains.CallAsync<CounterValue>("counter", counter, new CounterAdd { Amount = amount });
            pending.Ok(reply.Value.ToString(CultureInfo.InvariantCulture));
            Interlocked.Increment(ref _acknowledged);
            return OperationOutcome.Ok;
        }
        catch (NotExecutedException)
        {
            pending.NotExecuted();
            return OperationOutcome.NotExecuted;
        }
        catch (OutcomeUnknownException)
        {
            pending.Unknown();
            return OperationOutcome.Unknown;
        }
    }

    async Task ScanAsync(string key, NodeProcess node)
    {
        await _cluster.EventuallyAsync(async () =>
        {
            var pending = History.Invoke(HttpWorkers + CountingWorkers, key, OperationKind.Get);
            var answer = await node.Http.GetAsync(key);
            Record(pending, OperationKind.Get, answer);
            return answer.Outcome == OperationOutcome.Ok ? null : $"{key} through {node.Name}: {answer}";
        });
    }

    string KeyName(int number) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}-key-{number}");

    string CounterName(int number) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}-counter-{number}");
}
