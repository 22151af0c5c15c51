using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ActorCluster.Benchmarks.Systems;

namespace ActorCluster.Benchmarks.Load;

/// <summary>Milliseconds from SIGKILL to the first acknowledged write, per round.</summary>
sealed record FailoverResult(IReadOnlyList<double> Milliseconds)
{
    public double Median => Sorted[Sorted.Count / 2];

    public double Worst => Sorted[^1];

    List<double> Sorted => [.. Milliseconds.Order()];
}

/// <summary>
/// Kills the leader and measures how long a key that it led cannot be written. An attempt starts every 20 ms, on a
/// connection of its own, at the survivors in turn, whether the ones before it were answered or not: what counts is when
/// the system takes writes again, not how long it holds on to a request that met the dead leader.
/// </summary>
static class FailoverRun
{
    static readonly TimeSpan AttemptEvery = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);
    static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    public static async Task<FailoverResult> RunAsync(KvSystem system, Workload workload, int rounds, Action<string> progress, CancellationToken ct)
    {
        var results = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var (leader, key) = await system.FindLeaderAsync(workload.Keys, ct);
            var survivors = system.Servers.Where(s => s != leader).Select(s => s.Http).ToArray();
            // Once before, so that what is measured is not a first request's start-up.
            foreach (var survivor in survivors) await LoadRun.SendAllAsync([survivor], [system.Put(key, workload.Values[0])], 1, ct);

            var clock = Stopwatch.StartNew();
            leader.Kill();
            results.Add(await FirstWriteAsync(survivors, system.Put(key, workload.Values[1]), clock, ct));
            progress($"{system.Name} fail-over {round}/{rounds}: {results[^1]:0} ms");

            leader.Start();
            await system.WaitHealthyAsync(ct);
            await Task.Delay(Settle, ct);
        }
        return new FailoverResult(results);
    }

    static async Task<double> FirstWriteAsync(IPEndPoint[] survivors, byte[] put, Stopwatch clock, CancellationToken ct)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        done.CancelAfter(GiveUpAfter);
        var first = new TaskCompletionSource<double>(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = new List<Task>();
        for (var i = 0; !first.Task.IsCompleted; i++)
        {
            if (clock.Elapsed > GiveUpAfter) throw new TimeoutException($"no write was acknowledged within {GiveUpAfter.TotalSeconds:0} s after the leader was killed");
            attempts.Add(TryWriteAsync(survivors[i % survivors.Length], put, clock, first, done.Token));
            await Task.WhenAny(first.Task, Task.Delay(AttemptEvery, ct));
        }
        await done.CancelAsync();
        await Task.WhenAll(attempts);
        return await first.Task;
    }

    static async Task TryWriteAsync(IPEndPoint server, byte[] put, Stopwatch clock, TaskCompletionSource<double> first, CancellationToken ct)
    {
        try
        {
            using var connection = new HttpConnection(server);
            await connection.ConnectAsync(ct);
            if (await connection.RequestAsync(put, ct) == 200) first.TrySetResult(clock.Elapsed.TotalMilliseconds);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // An attempt that fails is what is expected while nobody leads; the next one is already on its way.
        }
    }
}
