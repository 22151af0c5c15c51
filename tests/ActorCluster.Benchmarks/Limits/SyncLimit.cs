using System.Diagnostics;

namespace ActorCluster.Benchmarks.Limits;

/// <summary>How often a second the disk makes a 4 KiB append durable: what one log on it can do without group commit.</summary>
static class SyncLimit
{
    const int AppendBytes = 4096;

    public static double Measure(string directory, TimeSpan duration)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, "sync-limit");
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
            var bytes = new byte[AppendBytes];
            bytes.AsSpan().Fill(0x5a);
            var clock = Stopwatch.StartNew();
            long syncs = 0;
            for (; clock.Elapsed < duration; syncs++)
            {
                RandomAccess.Write(handle, bytes, syncs * AppendBytes);
                RandomAccess.FlushToDisk(handle);
            }
            return syncs / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            File.Delete(path);
        }
    }
}
