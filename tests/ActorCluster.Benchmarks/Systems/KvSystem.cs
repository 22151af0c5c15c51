using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ActorCluster.Benchmarks.Load;

namespace ActorCluster.Benchmarks.Systems;

/// <summary>Three local processes of a replicated key-value store, as the benchmark needs them.</summary>
abstract class KvSystem : IDisposable
{
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    public abstract string Name { get; }

    public abstract IReadOnlyList<ServerProcess> Servers { get; }

    public IReadOnlyList<IPEndPoint> Endpoints => [.. Servers.Select(s => s.Http)];

    /// <summary>A write, as bytes to send.</summary>
    public abstract byte[] Put(string key, byte[] value);

    /// <summary>A linearizable read, as bytes to send.</summary>
    public abstract byte[] Get(string key);

    /// <summary>Is this server a working part of the whole?</summary>
    protected abstract Task<bool> IsHealthyAsync(IPEndPoint server, CancellationToken ct);

    /// <summary>The server whose loss hurts most, and a key that it leads.</summary>
    public abstract Task<(ServerProcess Leader, string Key)> FindLeaderAsync(IReadOnlyList<string> keys, CancellationToken ct);

    public async Task StartAsync(CancellationToken ct)
    {
        foreach (var server in Servers) server.Start();
        await WaitHealthyAsync(ct);
    }

    /// <summary>Waits until all servers say that they are well.</summary>
    public async Task WaitHealthyAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(StartLimit);
        foreach (var server in Servers)
        {
            while (!await AskHealthAsync(server.Http, limit.Token))
            {
                server.ThrowIfEnded();
                if (limit.IsCancellationRequested)
                    throw new TimeoutException($"{server.Name} is not healthy after {StartLimit.TotalSeconds:0} s: {string.Join(" | ", server.LogTail())}");
                await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
            }
        }
    }

    public void Dispose()
    {
        foreach (var server in Servers) server.Dispose();
    }

    /// <summary>One request on a connection of its own.</summary>
    protected static async Task<JsonDocument> AskAsync(IPEndPoint server, byte[] request, CancellationToken ct)
    {
        using var connection = new HttpConnection(server);
        await connection.ConnectAsync(ct);
        var status = await connection.RequestAsync(request, ct);
        var body = connection.Body;
        // A chunked body as it came: the JSON is between the first brace and the last.
        var start = body.Span.IndexOf((byte)'{');
        var end = body.Span.LastIndexOf((byte)'}');
        if (start < 0 || end < start) throw new IOException($"status {status} without JSON");
        return JsonDocument.Parse(Unchunk(body.Span, start, end));
    }

    async Task<bool> AskHealthAsync(IPEndPoint server, CancellationToken ct)
    {
        try
        {
            return await IsHealthyAsync(server, ct);
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException or OperationCanceledException)
        {
            return false; // Not yet: the caller asks again, within its limit.
        }
    }

    /// <summary>The JSON of a body that came in one piece, or in chunks whose size lines are left out.</summary>
    static byte[] Unchunk(ReadOnlySpan<byte> body, int start, int end)
    {
        if (start == 0) return body[..(end + 1)].ToArray();
        using var json = new MemoryStream();
        while (!body.IsEmpty)
        {
            var line = body.IndexOf("\r\n"u8);
            if (line < 0 || !System.Buffers.Text.Utf8Parser.TryParse(body[..line], out int size, out _, 'x') || size == 0) break;
            json.Write(body.Slice(line + 2, size));
            body = body[(line + 2 + size + 2)..];
        }
        return json.ToArray();
    }
}
