using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

/// <summary>Whole clusters on a virtual clock and a bad network.</summary>
public class GossipConvergenceTests
{
    [Theory]
    [InlineData(3, 0.0, 1_000)]
    [InlineData(3, 0.3, 3_000)]
    [InlineData(20, 0.0, 2_000)]
    [InlineData(20, 0.3, 6_000)]
    public void B71_AChangeReachesEverybody(int nodes, double loss, long withinMs)
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var random = new Xoshiro256(seed);
            var uids = Enumerable.Range(1, nodes).Select(i => (ulong)i).ToArray();
            var coordinator = Coordinator(uids);
            var tables = uids.ToDictionary(u => u, u => Table(u, coordinator.View));
            var engines = uids.ToDictionary(u => u, u => new GossipEngine(tables[u], random.Split(u)));
            foreach (var uid in uids) engines[uid].SetSelf(Node(uid));
            var network = new PriorityQueue<(ulong To, Protocol.Membership.Gossip Message), (long, ulong)>();

            coordinator.Decide(c => c.Update = Node(2, 5));
            tables[1].ApplySnapshot(coordinator.View);
            tables[1].Observe(Uid(3), 1, Reachability.Suspected, "missed");
            Send(engines[1].Disseminate(0), 0);
            for (long now = 0; now <= withinMs; now += 10)
            {
                while (network.TryPeek(out var next, out var at) && at.Item1 <= now)
                {
                    network.Dequeue();
                    var table = tables[next.To];
                    var view = table.View;
                    Send(engines[next.To].Receive(next.Message.Clone(), now), now);
                    if (table.View != view) Send(engines[next.To].Disseminate(now), now);
                }

                if (now % 200 == 0)
                    foreach (var uid in uids) Send(engines[uid].Tick(now), now);
            }

            Assert.All(tables.Values, t => Assert.Equal(coordinator.View.View, t.View));
            for (var r = 0; r < MemberTable.Ranges; r++) Assert.Single(tables.Values.Select(t => t.RangeHash(r)).Distinct());
            Assert.All(tables.Values, t => Assert.False(t.Find(Uid(3))!.Suspected)); // node 3 has refuted, everywhere

            void Send(IReadOnlyList<GossipOutput> outputs, long now)
            {
                foreach (var output in outputs.OfType<SendGossip>())
                    if (!random.Chance(loss)) network.Enqueue((ulong.Parse(output.Address[1..^5], null), output.Message.Clone()), (now + 1 + random.Next(20), random.NextUInt64()));
            }
        }
    }
}
