using System.Threading.Channels;
using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Local;

/// <summary>Two tasks that send messages to and fro over two unbounded channels: what a pair of actors does, without actors.</summary>
sealed class ChannelPingPong(int inFlight) : IScenario
{
    public Task RunAsync(int operations)
    {
        var exchanges = Math.Max(1, operations / 2);
        var (there, back) = (Channel.CreateUnbounded<object>(), Channel.CreateUnbounded<object>());
        return Task.WhenAll(
            Task.Run(() => PongAsync(there.Reader, back.Writer)),
            Task.Run(() => PingAsync(there.Writer, back.Reader, exchanges)));
    }

    static async Task PongAsync(ChannelReader<object> from, ChannelWriter<object> to)
    {
        while (await from.WaitToReadAsync())
        {
            while (from.TryRead(out var ball)) to.TryWrite(ball);
        }
    }

    async Task PingAsync(ChannelWriter<object> to, ChannelReader<object> from, int exchanges)
    {
        var toSend = exchanges;
        var toReceive = exchanges;
        for (; toSend > 0 && exchanges - toSend < inFlight; toSend--) to.TryWrite(new object());
        while (toReceive > 0 && await from.WaitToReadAsync())
        {
            while (from.TryRead(out var ball))
            {
                if (toSend > 0)
                {
                    toSend--;
                    to.TryWrite(ball);
                }

                toReceive--;
            }
        }

        to.Complete();
    }
}
