using System.Buffers.Binary;
using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Remote;

/// <summary>The bytes of so many messages over a bare stream, in writes of the size of remoting's batches. Done when the other process has them all.</summary>
sealed class BareOneWay(BareStream stream, int messageBytes) : IScenario
{
    static readonly byte[] Chunk = new byte[64 * 1024];

    public async Task RunAsync(int operations)
    {
        var left = (long)operations * messageBytes;
        var length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, left);
        await stream.Requests.WriteAsync(length);
        for (; left > 0; left -= Chunk.Length) await stream.Requests.WriteAsync(Chunk.AsMemory(0, (int)Math.Min(left, Chunk.Length)));
        await stream.Requests.FlushAsync();
        await stream.Responses.ReadExactlyAsync(new byte[1]);
    }
}
