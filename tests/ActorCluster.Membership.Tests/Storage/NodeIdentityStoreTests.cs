using System.Text;
using ActorCluster.Membership.Storage;
using ActorCluster.Protocol;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;

namespace ActorCluster.Membership.Tests.Storage;

/// <summary>A node never forgets who it is or what it promised, and never takes back an incarnation.</summary>
public class NodeIdentityStoreTests
{
    readonly SimDisk _disk = new(new Xoshiro256(9));
    readonly Xoshiro256 _random = new(10);

    [Fact]
    public void The_uid_stays_and_the_incarnation_rises_with_every_start()
    {
        NodeUid uid;
        using (var store = Open())
        {
            uid = store.Uid;
            Assert.False(uid.IsNone);
            Assert.Equal(1ul, store.Incarnation);
            Assert.Equal("", store.ClusterId);
            Assert.True(store.FormingState.IsEmpty);
            Assert.Empty(store.KnownAddresses);
            store.SaveForming("promise"u8);
            store.SetClusterId("c1");
            store.SetClusterId("c1");
            store.SaveKnownAddresses(["127.0.0.1:1", "127.0.0.1:2"]);
            Assert.Equal(2ul, store.RaiseIncarnation());
        }
        using var again = Open();
        Assert.Equal(uid, again.Uid);
        Assert.Equal(3ul, again.Incarnation);
        Assert.Equal("c1", again.ClusterId);
        Assert.Equal("promise", Encoding.UTF8.GetString(again.FormingState.Span));
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], again.KnownAddresses);
    }

    [Fact]
    public void Two_nodes_from_one_source_of_chance_have_two_uids()
    {
        using var one = Open();
        using var two = NodeIdentityStore.Open(_disk, "/other", _random);
        Assert.NotEqual(one.Uid, two.Uid);
    }

    [Fact]
    public void A14_What_was_said_survives_a_power_loss_at_any_step()
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            for (var step = 0; ; step++)
            {
                var disk = new SimDisk(new Xoshiro256(seed));
                var uid = NodeUid.None;
                ulong incarnation = 0;
                var forming = "";
                var clusterId = "";
                disk.CrashAfterOperations = step;
                var died = false;
                try
                {
                    var store = NodeIdentityStore.Open(disk, "/node", new Xoshiro256(seed));
                    (uid, incarnation) = (store.Uid, store.Incarnation);
                    store.SaveForming("first"u8);
                    forming = "first";
                    store.SetClusterId("c1");
                    clusterId = "c1";
                    incarnation = store.RaiseIncarnation();
                }
                catch (SimulatedCrashException)
                {
                    died = true;
                }
                disk.Crash();

                using var again = NodeIdentityStore.Open(disk, "/node", new Xoshiro256(seed + 1000));
                if (!uid.IsNone) Assert.Equal(uid, again.Uid);
                Assert.True(again.Incarnation > incarnation);
                if (forming != "") Assert.Equal(forming, Encoding.UTF8.GetString(again.FormingState.Span));
                if (clusterId != "") Assert.Equal(clusterId, again.ClusterId);
                if (!died) break;
            }
        }
    }

    [Fact]
    public void A_node_cannot_change_its_cluster()
    {
        using var store = Open();
        store.SetClusterId("c1");
        Assert.Throws<InvariantViolationException>(() => store.SetClusterId("c2"));
    }

    [Fact]
    public void One_process_at_a_time()
    {
        using (Open())
            Assert.Contains("locked by another process", Assert.Throws<FileLockedException>(Open).Message, StringComparison.Ordinal);
        Open().Dispose();
    }

    [Fact]
    public void A_damaged_identity_is_refused_and_the_lock_given_back()
    {
        Open().Dispose();
        using (var file = _disk.Open("/node/identity", FileOpening.ReadWrite))
        {
            file.Write(20, [0xff, 0xff]);
            file.Sync();
        }
        Assert.Throws<FileDamagedException>(Open);
        Assert.Throws<FileDamagedException>(Open);
    }

    [Fact]
    public void A_missing_identity_beside_a_log_is_refused()
    {
        Open().Dispose();
        NodeStorage.Open(_disk, "/node").Dispose();
        _disk.Delete("/node/identity");
        Assert.Contains("missing", Assert.Throws<FileDamagedException>(Open).Message, StringComparison.Ordinal);
    }

    NodeIdentityStore Open() => NodeIdentityStore.Open(_disk, "/node", _random);
}
