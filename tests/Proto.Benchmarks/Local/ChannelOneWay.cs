using System.Threading.Channels;
using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Local;

/// <summary>One task writes to an unbounded channel, another one reads.</summary>
sealed class ChannelOneWay : IScenario
{
    static readonly object Message = new();

    public Task RunAsync(int operations)
    {
        var channel = Channel.CreateUnbounded<object>();
        return Task.WhenAll(
            Task.Run(async () =>
            {
                while (await channel.Reader.WaitToReadAsync())
                {
                    while (channel.Reader.TryRead(out _)) { }
                }
            }),
            Task.Run(() =>
            {
                for (var i = 0; i < operations; i++) channel.Writer.TryWrite(Message);
                channel.Writer.Complete();
            }));
    }
}
