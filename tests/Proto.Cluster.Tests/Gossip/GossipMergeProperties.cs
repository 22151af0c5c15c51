using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.WellKnownTypes;
using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Gossip;

/// <summary>Merging must not depend on who tells what first, how often, and what gets lost.</summary>
public sealed class GossipMergeProperties
{
    static readonly string[] Ids = ["a", "b", "c", "d"];

    /// <summary>Member sets key; or from tells to, and perhaps the answer is lost.</summary>
    sealed record Step(int Kind, int From, int To, int Key);

    static readonly Arbitrary<Step[]> Steps = (
        from steps in (
            from kind in Gen.Choose(0, 9)
            from teller in Gen.Choose(0, Ids.Length - 1)
            from told in Gen.Choose(0, Ids.Length - 1)
            from key in Gen.Choose(0, 5)
            select new Step(kind, teller, told, key)).ArrayOf()
        select steps).ToArbitrary();

    [Fact]
    public void Merge_is_commutative_associative_and_idempotent() =>
        Prop.ForAll(Steps, Steps, (first, second) =>
        {
            // What a owner published, seen at three moments: each is a full state, in any order.
            var owner = Machine("a");
            var x = Publish(owner, first);
            var y = Publish(owner, second);
            var z = Publish(owner, [.. second, .. first]);

            var expected = After(x, y, z);
            Assert.Equal(expected, After(z, y, x));
            Assert.Equal(expected, After(y, x, z));
            Assert.Equal(expected, After(x, x, z, y, y, z, x));
            Assert.Equal(expected, After(z));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void All_members_end_with_the_same_state_whatever_was_lost_or_forgotten_on_the_way() =>
        Prop.ForAll(Steps, steps =>
        {
            var machines = Ids.Select(Machine).ToArray();
            var number = 0;
            foreach (var step in steps)
            {
                var (teller, told) = (machines[step.From], machines[step.To]);
                switch (step.Kind)
                {
                    case < 4: teller.Set($"key-{step.Key}", Text($"{number++}"), 0); break;
                    case < 7 when teller != told: Exchange(teller, told, maxEntries: 1 + step.Key, answerArrives: step.Kind == 6); break;
                    case 7 when teller != told: told.Merge(teller.DeltaFor(told.Self, 1 + step.Key), 0); break;
                    case 8 when teller != told:
                        // It loses a member out of sight and finds it again.
                        teller.SetMembers(Ids.Where(id => id != told.Self));
                        teller.SetMembers(Ids);
                        // As its new topology would do.
                        teller.Set("cluster:topology", Text($"{number++}"), 0);
                        break;
                }
            }

            for (var round = 0; machines.Any(m => machines.Any(peer => peer != m && m.HasNewsFor(peer.Self))); round++)
            {
                Assert.True(round < 200, "gossip does not come to rest");
                foreach (var teller in machines)
                {
                    foreach (var told in machines.Where(peer => peer != teller && teller.HasNewsFor(peer.Self))) Exchange(teller, told, 3, answerArrives: true);
                }
            }

            foreach (var machine in machines) Assert.Equal(Describe(machines[0]), Describe(machine));
        }).QuickCheckThrowOnFailure();

    static void Exchange(GossipStateMachine teller, GossipStateMachine told, int maxEntries, bool answerArrives)
    {
        var known = teller.Known().ToDictionary(StringComparer.Ordinal);
        told.Merge(teller.DeltaFor(told.Self, maxEntries), 0);
        told.PeerKnows(teller.Self, known);
        if (!answerArrives) return;
        var answer = told.DeltaBeyond(known, teller.Self, maxEntries);
        teller.Merge(answer, 0);
        teller.PeerKnows(told.Self, told.Known());
    }

    static GossipDelta Publish(GossipStateMachine owner, Step[] steps)
    {
        foreach (var step in steps) owner.Set($"key-{step.Key}", Text($"{step.Kind}"), 0);
        return owner.DeltaBeyond(null, "reader", int.MaxValue);
    }

    static string Describe(GossipStateMachine machine) => machine.Snapshot().ToString();

    static string After(params GossipDelta[] deltas)
    {
        var reader = Machine("reader");
        foreach (var delta in deltas) reader.Merge(delta, 0);
        return Describe(reader);
    }

    static GossipStateMachine Machine(string id)
    {
        var machine = new GossipStateMachine(id);
        machine.SetMembers([.. Ids, "reader"]);
        if (id != "reader") machine.SetMembers(Ids);
        return machine;
    }

    static Any Text(string text) => Any.Pack(new StringValue { Value = text });
}
