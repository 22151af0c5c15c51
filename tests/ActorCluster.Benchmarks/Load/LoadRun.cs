using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ActorCluster.Benchmarks.Load;

/// <summary>What a load gave.</summary>
/// <param name="Connections">Concurrent connections.</param>
/// <param name="PerSecond">Requests answered with success per second.</param>
/// <param name="P50Ms">Median latency.</param>
/// <param name="P99Ms">Latency that 99 of 100 requests stay below.</param>
/// <param name="Answered">Requests answered with success, also those of the warm-up.</param>
/// <param name="Errors">Requests that were not.</param>
/// <param name="CpuMicros">Processor time of all servers together per answered request: hardly depends on what else the machine does.</param>
sealed record LoadResult(int Connections, double PerSecond, double P50Ms, double P99Ms, long Answered, long Errors, double CpuMicros);

/// <summary>
/// A closed loop: each connection sends its next request when the answer to the last one is there. Connections are
/// spread evenly over the endpoints, keys over the connections.
/// </summary>
static class LoadRun
{
    /// <summary>A server that answers nothing ends the run after this long.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    /// <summary>Sends requests for the given time, after a warm-up whose results do not count.</summary>
    public static async Task<LoadResult> RunAsync(
        IReadOnlyList<IPEndPoint> endpoints, IReadOnlyList<byte[]> requests, int connections, TimeSpan warmUp, TimeSpan duration, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(warmUp + duration + Grace);
        var workers = Enumerable.Range(0, connections).Select(i => new Worker(endpoints[i % endpoints.Count], requests, first: i, step: connections)).ToList();
        await Task.WhenAll(workers.Select(w => Task.Run(() => w.RunAsync(clock, warmUp, warmUp + duration, limit.Token), ct)));

        var latencies = workers.SelectMany(w => w.Latencies).ToArray();
        Array.Sort(latencies);
        return new LoadResult(
            connections, latencies.Length / duration.TotalSeconds, Percentile(latencies, 0.50), Percentile(latencies, 0.99), workers.Sum(w => w.Answered), workers.Sum(w => w.Errors), CpuMicros: 0);
    }

    /// <summary>Sends each request once.</summary>
    public static async Task SendAllAsync(IReadOnlyList<IPEndPoint> endpoints, IReadOnlyList<byte[]> requests, int connections, CancellationToken ct)
    {
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async c =>
        {
            using var connection = new HttpConnection(endpoints[c % endpoints.Count]);
            await connection.ConnectAsync(ct);
            for (var i = c; i < requests.Count; i += connections)
            {
                for (var attempt = 0; ; attempt++)
                {
                    var status = await connection.RequestAsync(requests[i], ct);
                    if (status == 200) break;
                    if (attempt == 20) throw new InvalidOperationException($"request {i} was answered with {status} again and again: {Text(connection)}");
                    await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
                }
            }
        }));
    }

    public static string Text(HttpConnection connection) => System.Text.Encoding.UTF8.GetString(connection.Body.Span);

    static double Percentile(long[] sorted, double share) =>
        sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))] * 1000.0 / Stopwatch.Frequency;

    sealed class Worker(IPEndPoint endpoint, IReadOnlyList<byte[]> requests, int first, int step)
    {
        public List<long> Latencies { get; } = new(64 * 1024);

        public long Answered { get; private set; }

        public long Errors { get; private set; }

        public async Task RunAsync(Stopwatch clock, TimeSpan from, TimeSpan until, CancellationToken ct)
        {
            HttpConnection? connection = null;
            try
            {
                for (long next = first; clock.Elapsed < until; next += step)
                {
                    try
                    {
                        if (connection is null)
                        {
                            connection = new HttpConnection(endpoint);
                            await connection.ConnectAsync(ct);
                        }
                        var start = clock.ElapsedTicks;
                        var status = await connection.RequestAsync(requests[(int)(next % requests.Count)], ct);
                        var end = clock.ElapsedTicks;
                        if (status == 200) Answered++;
                        else Errors++;
                        if (status == 200 && start >= from.Ticks * Stopwatch.Frequency / TimeSpan.TicksPerSecond && clock.Elapsed <= until)
                            Latencies.Add(end - start);
                    }
                    catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
                    {
                        ct.ThrowIfCancellationRequested();
                        Errors++;
                        connection?.Dispose();
                        connection = null;
                    }
                }
            }
            finally
            {
                connection?.Dispose();
            }
        }
    }
}
