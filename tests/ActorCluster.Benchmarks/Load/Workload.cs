using System.Globalization;
using System.Text;

namespace ActorCluster.Benchmarks.Load;

/// <summary>The same keys and values for every system.</summary>
sealed class Workload
{
    public const int ValueBytes = 256;

    public Workload(int keys)
    {
        Keys = [.. Enumerable.Range(0, keys).Select(i => string.Create(CultureInfo.InvariantCulture, $"bench-{i:d6}"))];
        Values = [.. Keys.Select((_, i) => Value(i))];
    }

    public IReadOnlyList<string> Keys { get; }

    public IReadOnlyList<byte[]> Values { get; }

    /// <summary>Text, so that every API can carry it, and no two the same.</summary>
    static byte[] Value(int index)
    {
        var value = new byte[ValueBytes];
        var state = (ulong)index + 1;
        for (var i = 0; i < value.Length; i++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            value[i] = (byte)('a' + ((state >> 33) % 26));
        }
        return value;
    }

    public static byte[] Http(string method, string path, string contentType, ReadOnlySpan<byte> body)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{(body.IsEmpty ? "" : $"Content-Type: {contentType}\r\nContent-Length: {body.Length}\r\n")}\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}
