using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using Google.Protobuf;

namespace ActorCluster.Keyspace.Tests;

public class PartitionStateMachineTests
{
    readonly TestPartition _partition = new();

    [Fact]
    public void A_write_carries_the_log_index_as_its_version()
    {
        var reply = _partition.Put("a", "1");
        Assert.Equal(1ul, reply.Version);
        Assert.Equal(2ul, _partition.Put("a", "2").Version);
        Assert.True(_partition.Machine.Store.TryGet("a", out var entry));
        Assert.Equal(("2", 2ul), (entry.Value.ToStringUtf8(), entry.Version));
    }

    [Fact]
    public void J02_Deleting_a_missing_key_is_fine_and_says_so()
    {
        Assert.False(_partition.Delete("a").Found);
        _partition.Put("a", "1");
        Assert.True(_partition.Delete("a").Found);
        Assert.Null(_partition.Get("a"));
    }

    [Fact]
    public void Entries_that_are_no_commands_move_the_applied_index_only()
    {
        Assert.Null(_partition.Machine.Apply(new Entry { Index = 1, Term = 1, Kind = EntryKind.NoOp }));
        Assert.Null(_partition.Machine.Apply(new Entry { Index = 2, Term = 1, Kind = EntryKind.Config, Payload = ByteString.CopyFromUtf8("x") }));
        Assert.Equal(2ul, _partition.Machine.AppliedIndex);
    }

    [Fact]
    public void Entries_out_of_order_and_unknown_commands_stop_the_replica()
    {
        Assert.Throws<InvariantViolationException>(() => _partition.Machine.Apply(new Entry { Index = 2, Term = 1 }));
        Assert.Throws<InvariantViolationException>(() => _partition.Apply(new PartitionCommand { TimeMs = 1 }));
        Assert.Throws<InvariantViolationException>(() => _partition.Apply(new PartitionCommand { Part = new PartCommand { Part = "nobody" } }));
    }

    [Fact]
    public void Memory_is_accounted_and_given_back()
    {
        Assert.Equal(0, _partition.Machine.Bytes);
        _partition.Put("a", new string('x', 1000));
        var one = _partition.Machine.Bytes;
        Assert.InRange(one, 1000, 1200);
        _partition.Put("a", new string('x', 3000));
        Assert.Equal(one + 2000, _partition.Machine.Bytes);
        _partition.Delete("a");
        Assert.Equal(0, _partition.Machine.Bytes);
    }

    /// <summary>
    /// faults A4: an applied index that is saved apart from the data skips or repeats entries after a crash. Here a snapshot is
    /// "the state after entry n": whichever n the crash leaves, applying the log after it gives the same state, each entry once.
    /// </summary>
    [Fact]
    public void A4_From_a_snapshot_at_any_entry_the_log_after_it_is_applied_once_and_nothing_is_skipped()
    {
        const int Entries = 40;
        var snapshots = new List<PartitionStateMachine>();
        var log = new List<PartitionCommand>();
        for (var i = 0; i < Entries; i++)
        {
            var payload = ByteString.CopyFromUtf8($"count {i % 3}");
            log.Add(new PartitionCommand { TimeMs = _partition.TimeMs, Part = new PartCommand { Part = "echo", Payload = payload } });
            _partition.Apply(log[i]);
            snapshots.Add(TestPartition.Restored(_partition.Machine));
        }

        var whole = TestPartition.Snapshot(_partition.Machine);
        foreach (var restored in snapshots)
        {
            for (var index = restored.AppliedIndex + 1; index <= Entries; index++)
                restored.Apply(new Entry { Index = index, Term = 1, Payload = log[(int)index - 1].ToByteString() });
            Assert.Equal(whole, TestPartition.Snapshot(restored));
        }

        Assert.Equal(14, _partition.Effects("0"));
    }

    /// <summary>faults E12: sessions missing or doubled after a snapshot.</summary>
    [Fact]
    public void E12_Sessions_are_part_of_the_snapshot_and_go_on_after_it()
    {
        var first = _partition.OpenSession("first");
        var second = _partition.OpenSession("second");
        var reply = _partition.Put("a", "1", first, 5, lowestPending: 3);
        _partition.Put("b", "1", first, 3, lowestPending: 3);
        _partition.Put("a", "2");

        var restored = TestPartition.Restored(_partition.Machine);
        Assert.Equal(2, restored.Sessions.Count);
        Assert.Equal(_partition.Machine.Sessions.ReplyBytes, restored.Sessions.ReplyBytes);
        Assert.Equal(_partition.Machine.Bytes, restored.Bytes);
        var session = restored.Sessions.Find(first)!;
        Assert.Equal((3ul, 2, "first"), (session.LowestPending, session.StoredReplies, session.Label));

        var repeat = Commands.Of(new KvRequest { Put = new KvPut { Key = "a", Value = ByteString.CopyFromUtf8("1") } },
            new SessionRef { SessionId = first, Sequence = 5, LowestPending = 3 }, 9);
        Assert.Equal(reply, restored.Apply(new Entry { Index = restored.AppliedIndex + 1, Term = 1, Payload = repeat }));
        Assert.True(restored.Store.TryGet("a", out var entry) && entry.Value.ToStringUtf8() == "2");

        // The order in which the cap ends sessions is part of the state too.
        Assert.Equal([second], restored.Sessions.IdleFor(0, restored.TimeMs, 1));
    }

    [Fact]
    public void Two_replicas_write_the_same_snapshot_whatever_their_history()
    {
        // One applies the log; the other is restored from snapshots all the way.
        var steady = new TestPartition();
        var restarted = new TestPartition(captureEvery: 3);
        foreach (var partition in new[] { steady, restarted })
        {
            var session = partition.OpenSession();
            for (var i = 0ul; i < 400; i++)
            {
                partition.Put($"key-{i * 7919 % 401}", $"value {i}", session, i + 1, lowestPending: i > 20 ? i - 20 : 1);
                if (i % 5 == 0) partition.Delete($"key-{i}");
                if (i % 11 == 0) partition.Count($"{i}", new SessionRef { SessionId = session, Sequence = 1000 + i, LowestPending = i > 20 ? i - 20 : 1 });
            }
        }

        Assert.Equal(TestPartition.Snapshot(steady.Machine), TestPartition.Snapshot(restarted.Machine));
    }

    [Fact]
    public void A_captured_snapshot_does_not_see_what_is_applied_while_it_is_written()
    {
        var session = _partition.OpenSession();
        for (var i = 0; i < 500; i++) _partition.Put($"key-{i}", "before", session, (ulong)i + 1);
        var expected = TestPartition.Snapshot(_partition.Machine);

        var captured = _partition.Machine.Capture();
        for (var i = 0; i < 500; i++) _partition.Put($"key-{i}", "after", session, (ulong)i + 501, lowestPending: 400);
        for (var i = 0; i < 300; i++) _partition.Delete($"key-{i}");
        _partition.OpenSession();

        var stream = new MemoryStream();
        captured.WriteTo(stream);
        Assert.Equal(expected, stream.ToArray());
        Assert.Equal(501ul, captured.AppliedIndex);
    }

    [Fact]
    public void A_value_of_the_largest_size_survives_a_snapshot()
    {
        _partition.Put("large", new string('x', Limits.MaxValueBytes));
        _partition.Put("small", "1");
        var restored = TestPartition.Restored(_partition.Machine);
        Assert.True(restored.Store.TryGet("large", out var entry));
        Assert.Equal(Limits.MaxValueBytes, entry.Value.Length);
    }

    [Fact]
    public void A_snapshot_that_is_cut_anywhere_is_refused_and_changes_nothing()
    {
        var session = _partition.OpenSession();
        for (var i = 0; i < 20; i++) _partition.Put($"key-{i}", "value", session, (ulong)i + 1);
        var bytes = TestPartition.Snapshot(_partition.Machine);

        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => _partition.Machine.Restore(new MemoryStream(bytes, 0, length)));
        Assert.Equal(bytes, TestPartition.Snapshot(_partition.Machine));
    }

    [Fact]
    public void A8_An_insane_chunk_length_is_refused_before_anything_is_allocated()
    {
        byte[] insane = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => _partition.Machine.Restore(new MemoryStream(insane)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }
}
