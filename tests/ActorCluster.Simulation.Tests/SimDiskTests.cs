using System.Text;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;

namespace ActorCluster.Simulation.Tests;

/// <summary>The simulated disk must lose exactly what a disk may lose: never what was synced, sometimes what was not.</summary>
public sealed class SimDiskTests
{
    const string Folder = "/data";
    const string Name = "/data/log";

    [Fact]
    public void What_was_synced_survives_every_crash()
    {
        for (var seed = 0UL; seed < 200; seed++)
        {
            var disk = NewDisk(seed, out var file);
            file.Write(0, "synced"u8);
            file.Sync();
            disk.SyncDirectory(Folder);
            file.Write(6, "pending"u8);
            disk.Crash();
            Assert.StartsWith("synced", Text(disk), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pending_writes_survive_in_every_possible_part()
    {
        var seen = new HashSet<string>();
        for (var seed = 0UL; seed < 400; seed++)
        {
            var disk = NewDisk(seed, out var file);
            file.Write(0, "...."u8);
            file.Sync();
            disk.SyncDirectory(Folder);
            file.Write(0, "AB"u8);
            file.Write(2, "CD"u8);
            disk.Crash();
            seen.Add(Text(disk));
        }

        // Both, none, either one, and torn ones.
        foreach (var expected in new[] { "ABCD", "....", "AB..", "..CD", "A...", "ABC." }) Assert.Contains(expected, seen);
        Assert.DoesNotContain(seen, text => text.Length != 4);
    }

    [Fact]
    public void A_name_without_a_directory_sync_may_vanish()
    {
        var survived = 0;
        for (var seed = 0UL; seed < 100; seed++)
        {
            var disk = NewDisk(seed, out var file);
            file.Write(0, "x"u8);
            file.Sync();
            disk.Crash();
            if (disk.FileExists(Name)) survived++;
        }

        Assert.InRange(survived, 10, 90);
    }

    [Fact]
    public void A_rename_without_a_directory_sync_shows_the_old_or_the_new_file()
    {
        var seen = new HashSet<string>();
        for (var seed = 0UL; seed < 100; seed++)
        {
            var disk = NewDisk(seed, out var file);
            file.Write(0, "old"u8);
            file.Sync();
            disk.SyncDirectory(Folder);
            var temporary = disk.Open("/data/log.tmp", FileOpening.Create);
            temporary.Write(0, "new"u8);
            temporary.Sync();
            disk.SyncDirectory(Folder);
            disk.Rename("/data/log.tmp", Name);
            Assert.Equal("new", Text(disk));
            disk.Crash();
            seen.Add(Text(disk));
        }

        Assert.Equal(["new", "old"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_lost_cut_brings_the_bytes_back()
    {
        var seen = new HashSet<string>();
        for (var seed = 0UL; seed < 100; seed++)
        {
            var disk = NewDisk(seed, out var file);
            file.Write(0, "abcdef"u8);
            file.Sync();
            disk.SyncDirectory(Folder);
            file.SetLength(2);
            file.SetLength(4);
            Assert.Equal("ab\0\0", Text(disk));
            disk.Crash();
            seen.Add(Text(disk));
        }

        Assert.Contains("abcdef", seen);
        Assert.Contains("ab\0\0", seen);
        Assert.Contains("ab", seen);
    }

    [Fact]
    public void A_killed_process_loses_nothing_and_its_locks_end()
    {
        var disk = NewDisk(1, out var file);
        disk.Lock("/data/lock");
        Assert.Throws<FileLockedException>(() => disk.Lock("/data/lock"));
        file.Write(0, "kept"u8);
        disk.Kill();
        Assert.Equal("kept", Text(disk));
        Assert.Throws<InvariantViolationException>(() => file.Write(0, "late"u8));
        disk.Lock("/data/lock").Dispose();
    }

    [Fact]
    public void Dies_at_the_operation_asked_for()
    {
        var disk = NewDisk(1, out var file);
        disk.CrashAfterOperations = 1;
        file.Write(0, "one"u8);
        Assert.Throws<SimulatedCrashException>(() => file.Write(0, "two"u8));
        Assert.Equal("one", Text(disk));
    }

    [Fact]
    public void A_failed_sync_makes_nothing_durable()
    {
        var lost = 0;
        for (var seed = 0UL; seed < 50; seed++)
        {
            var disk = NewDisk(seed, out var file);
            disk.SyncDirectory(Folder);
            file.Write(0, "x"u8);
            disk.FailSyncAfter = 0;
            Assert.Throws<IOException>(file.Sync);
            disk.Crash();
            if (Text(disk).Length == 0) lost++;
        }

        Assert.True(lost > 5);
    }

    static SimDisk NewDisk(ulong seed, out IStorageFile file)
    {
        var disk = new SimDisk(new Xoshiro256(seed));
        disk.CreateDirectory(Folder);
        file = disk.Open(Name, FileOpening.Create);
        return disk;
    }

    static string Text(SimDisk disk)
    {
        using var file = disk.Open(Name, FileOpening.Read);
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        return Encoding.ASCII.GetString(bytes);
    }
}
