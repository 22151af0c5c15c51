using System.Text;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;

namespace ActorCluster.Raft.Tests.Storage;

public class AtomicFileTests
{
    const string FilePath = "/data/identity";

    [Fact]
    public void A12_After_a_power_loss_at_any_step_it_holds_the_old_content_or_the_new()
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            for (var step = 0; ; step++)
            {
                var disk = NewDisk(seed);
                new AtomicFile(disk, FilePath).Write("old"u8);
                disk.CrashAfterOperations = step;
                var died = false;
                try
                {
                    new AtomicFile(disk, FilePath).Write("the new content"u8);
                }
                catch (SimulatedCrashException)
                {
                    died = true;
                }
                disk.Crash();
                var content = Encoding.UTF8.GetString(new AtomicFile(disk, FilePath).Read()!);
                Assert.True(content == "the new content" || (died && content == "old"), $"seed {seed}, step {step}: {content}");
                Assert.Single(disk.ListFiles("/data"));
                // What was read once stays, whatever happens next.
                disk.Crash();
                Assert.Equal(content, Encoding.UTF8.GetString(new AtomicFile(disk, FilePath).Read()!));
                if (!died) break;
            }
        }
    }

    [Fact]
    public void A8_Every_damaged_byte_is_noticed()
    {
        var disk = NewDisk(1);
        new AtomicFile(disk, FilePath).Write("content"u8);
        var whole = disk.ReadFile(FilePath);
        for (var position = 0; position < whole.Length; position++)
        {
            var damaged = whole.ToArray();
            damaged[position] ^= 0x80;
            disk.WriteFile(FilePath, damaged);
            Assert.Throws<FileDamagedException>(() => new AtomicFile(disk, FilePath).Read());
        }
        disk.WriteFile(FilePath, whole.AsSpan(0, whole.Length - 1));
        Assert.Throws<FileDamagedException>(() => new AtomicFile(disk, FilePath).Read());
    }

    [Fact]
    public void What_was_never_written_is_null() => Assert.Null(new AtomicFile(NewDisk(1), FilePath).Read());

    static SimDisk NewDisk(ulong seed)
    {
        var disk = new SimDisk(new Xoshiro256(seed));
        disk.CreateDirectory("/data");
        return disk;
    }
}
