using ActorCluster.Protocol.Membership;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

public class FailureDetectorTests
{
    readonly FailureDetector _detector = new(Uid(1), "node-1", Random());
    readonly MemberTable _table = Table(1, Coordinator(1, 2, 3).View);

    public FailureDetectorTests() => _detector.SetMembers(_table.Members);

    [Fact]
    public void A12_B13_ThreePeriodsMissedInARow_Unreachable_WithEvidence()
    {
        var seen = Run(0, 2000, answers: [3]);
        Assert.Equal([Reachability.Suspected, Reachability.ObservedUnreachable], seen.Select(o => o.Reachability));
        var evidence = seen[1].Evidence;
        Assert.Contains("node-1 probed node-2 at n2:4050: 3 of 3 periods of 500 ms missed in a row", evidence, StringComparison.Ordinal);
        Assert.Contains("through node-3", evidence, StringComparison.Ordinal);
        Assert.All(seen, o => Assert.Equal(Uid(2), o.Subject));
    }

    [Fact]
    public void MissesThatAreNotInARow_CountForNothing()
    {
        for (var round = 0; round < 6; round++)
        {
            Assert.DoesNotContain(Run(round * 1500, (round * 1500) + 950, answers: [3]), o => o.Reachability == Reachability.ObservedUnreachable);
            Run((round * 1500) + 1000, (round * 1500) + 1450, answers: [2, 3]);
        }
    }

    [Fact]
    public void AnswerThroughARelay_IsAnAnswer()
    {
        var relayed = 0;
        for (long now = 0; now <= 4000; now += 50)
        {
            foreach (var output in _detector.Tick(now))
            {
                if (output is SendProbe { Probe.To: 3 } direct) _detector.Receive(new ProbeAck { Subject = 3, Incarnation = 1, Sequence = direct.Probe.Sequence }, now);
                if (output is SendIndirectProbe indirect)
                {
                    relayed++;
                    Assert.Equal("n3:4050", indirect.RelayAddress);
                    _detector.Receive(new ProbeAck { Subject = 2, Incarnation = 1, Sequence = indirect.Probe.Sequence }, now);
                }

                Assert.IsNotType<Observed>(output);
            }
        }

        Assert.True(relayed >= 7);
    }

    [Fact]
    public void StarvedNode_BlamesNobody()
    {
        // The process stands still for seconds at a time: it cannot know who would have answered.
        for (long now = 0; now < 60_000; now += 3000) Assert.DoesNotContain(_detector.Tick(now), o => o is Observed);
        Assert.True(_detector.StarvedPeriods > 10);
    }

    [Fact]
    public void AnswersOfAnOldIncarnation_CountForNothing()
    {
        _table.Merge(new Observation { Subject = 2, Incarnation = 2, Observer = 2, Node = Node(2, 2) });
        _detector.SetMembers(_table.Members);
        var seen = Run(0, 2000, answers: [2, 3]); // answers say incarnation 1
        Assert.Contains(seen, o => o.Subject == Uid(2) && o.Reachability == Reachability.ObservedUnreachable);
    }

    [Fact]
    public void LargeCluster_ProbesOneAtATime_AndEverybodyInTurn()
    {
        var uids = Enumerable.Range(1, 20).Select(i => (ulong)i).ToArray();
        var detector = new FailureDetector(Uid(1), "node-1", Random());
        detector.SetMembers(Table(1, Coordinator(uids).View).Members);
        var probed = new List<ulong>();
        for (long now = 0; now < 19 * 500; now += 50)
        {
            foreach (var output in detector.Tick(now))
            {
                if (output is not SendProbe probe) continue;
                probed.Add(probe.Probe.To);
                detector.Receive(new ProbeAck { Subject = probe.Probe.To, Incarnation = 1, Sequence = probe.Probe.Sequence }, now);
            }
        }

        Assert.Equal(19, probed.Count);
        Assert.Equal(19, probed.Distinct().Count());
    }

    List<Observed> Run(long from, long to, ulong[] answers)
    {
        var seen = new List<Observed>();
        for (var now = from; now <= to; now += 50)
        {
            foreach (var output in _detector.Tick(now))
            {
                if (output is SendProbe probe && answers.Contains(probe.Probe.To))
                    _detector.Receive(new ProbeAck { Subject = probe.Probe.To, Incarnation = 1, Sequence = probe.Probe.Sequence }, now);
                if (output is not Observed observed) continue;
                seen.Add(observed);
                _table.Observe(observed.Subject, observed.Incarnation, observed.Reachability, observed.Evidence);
                _detector.SetMembers(_table.Members);
            }
        }

        return seen;
    }
}
