using System.Globalization;
using ActorCluster.Raft;
using ActorCluster.Simulation.Histories;
using static ActorCluster.Simulation.Histories.OperationKind;
using static ActorCluster.Simulation.Histories.OperationOutcome;

namespace ActorCluster.Simulation.Tests;

/// <summary>The checker must tell right from wrong before anything is believed that it says.</summary>
public sealed class LinearizabilityCheckerTests
{
    [Fact]
    public void Sequential_reads_and_writes_are_linearizable() => Good(
        Op(Put, "1", Ok, null, 0, 1),
        Op(Get, null, Ok, "1", 2, 3),
        Op(Delete, null, Ok, "true", 4, 5),
        Op(Get, null, Ok, null, 6, 7),
        Op(Delete, null, Ok, "false", 8, 9));

    [Fact]
    public void A_stale_read_is_found() => Bad(
        Op(Put, "1", Ok, null, 0, 1),
        Op(Put, "2", Ok, null, 2, 3),
        Op(Get, null, Ok, "1", 4, 5));

    [Fact]
    public void A_lost_acknowledged_write_is_found() => Bad(
        Op(Put, "1", Ok, null, 0, 1),
        Op(Get, null, Ok, null, 2, 3));

    [Fact]
    public void Reads_that_go_back_in_time_are_found() => Bad(
        Op(Put, "1", Ok, null, 0, 1),
        Op(Put, "2", Ok, null, 2, 20),
        Op(Get, null, Ok, "2", 3, 4, client: 1),
        Op(Get, null, Ok, "1", 5, 6, client: 2));

    [Fact]
    public void Concurrent_reads_may_see_either_side_of_a_write() => Good(
        Op(Put, "1", Ok, null, 0, 1),
        Op(Put, "2", Ok, null, 2, 20),
        Op(Get, null, Ok, "1", 3, 4, client: 1),
        Op(Get, null, Ok, "2", 5, 6, client: 2));

    [Fact]
    public void An_unknown_write_may_take_effect_late_or_never()
    {
        Good(
            Op(Put, "1", Ok, null, 0, 1),
            Op(Put, "2", Unknown, null, 2, long.MaxValue),
            Op(Get, null, Ok, "1", 3, 4, client: 1),
            Op(Get, null, Ok, "2", 5, 6, client: 1));
        Good(
            Op(Put, "1", Ok, null, 0, 1),
            Op(Put, "2", Unknown, null, 2, long.MaxValue),
            Op(Get, null, Ok, "1", 3, 4, client: 1));
    }

    [Fact]
    public void An_unknown_write_takes_effect_at_most_once() => Bad(
        Op(Put, "1", Ok, null, 0, 1),
        Op(Put, "2", Unknown, null, 2, long.MaxValue),
        Op(Get, null, Ok, "2", 3, 4, client: 1),
        Op(Put, "3", Ok, null, 5, 6, client: 1),
        Op(Get, null, Ok, "2", 7, 8, client: 1));

    [Fact]
    public void A_write_that_was_not_executed_must_not_be_seen() => Bad(
        Op(Put, "1", NotExecuted, null, 0, 1),
        Op(Get, null, Ok, "1", 2, 3));

    [Fact]
    public void An_addition_applied_twice_is_found()
    {
        Good(Op(Add, "5", Ok, "5", 0, 1), Op(Add, "5", Ok, "10", 2, 3), Op(Get, null, Ok, "10", 4, 5));
        Bad(Op(Add, "5", Ok, "5", 0, 1), Op(Get, null, Ok, "10", 2, 3));
    }

    [Fact]
    public void A_value_that_nobody_wrote_is_found() => Bad(Op(Get, null, Ok, "7", 0, 1));

    [Fact]
    public void Keys_are_independent()
    {
        var result = LinearizabilityChecker.Check(
        [
            Op(Put, "1", Ok, null, 0, 1),
            Op(Put, "2", Ok, null, 2, 3) with { Key = "other" },
            Op(Get, null, Ok, "1", 4, 5),
            Op(Get, null, Ok, null, 6, 7) with { Key = "other" },
        ]);
        Assert.Equal(Verdict.NotLinearizable, result.Verdict);
        Assert.Equal("other", result.Key);
    }

    [Fact]
    public void Says_that_it_gave_up_rather_than_guess()
    {
        var history = Enumerable.Range(0, 24)
            .Select(i => Op(Add, (1 << i).ToString(CultureInfo.InvariantCulture), Ok, null, i, 1000 + i, client: i))
            .Append(Op(Get, null, Ok, "-1", 2000, 2001));
        Assert.Equal(Verdict.GaveUp, LinearizabilityChecker.Check(history, maxConfigurations: 1000).Verdict);
    }

    /// <summary>Small random histories, right and wrong ones, against trying every order.</summary>
    [Fact]
    public void Agrees_with_trying_every_order()
    {
        var random = new Xoshiro256(20);
        var verdicts = new int[2];
        for (var run = 0; run < 4000; run++)
        {
            var history = RandomHistory(random);
            var expected = TryEveryOrder(history, [], null);
            var found = LinearizabilityChecker.Check(history).Verdict;
            Assert.True(
                found == (expected ? Verdict.Linearizable : Verdict.NotLinearizable),
                $"run {run}: expected {expected}, found {found}:\n{string.Join('\n', history)}");
            verdicts[expected ? 1 : 0]++;
        }

        Assert.True(verdicts[0] > 500 && verdicts[1] > 500, $"the histories are one-sided: {verdicts[0]} bad, {verdicts[1]} good");
    }

    static List<Operation> RandomHistory(Xoshiro256 random)
    {
        var count = random.Next(2, 7);
        var times = Enumerable.Range(0, count * 2).Select(i => (Key: random.NextUInt64(), Op: i % count)).OrderBy(t => t.Key).Select(t => t.Op).ToList();
        var withAdd = random.Chance(0.4);
        var history = new List<Operation>();
        for (var i = 0; i < count; i++)
        {
            var kind = withAdd ? (random.Chance(0.5) ? Add : Get) : (OperationKind)random.Next(3);
            var outcome = random.Next(6) switch { 0 => Unknown, 1 => NotExecuted, _ => Ok };
            var result = kind switch
            {
                Get => random.Chance(0.2) ? null : random.Next(1, 5).ToString(CultureInfo.InvariantCulture),
                Delete => random.Chance(0.3) ? null : random.Chance(0.5) ? "true" : "false",
                Add => random.Next(1, 5).ToString(CultureInfo.InvariantCulture),
                _ => null,
            };
            history.Add(Op(
                kind,
                random.Next(1, 4).ToString(CultureInfo.InvariantCulture),
                outcome,
                outcome == Ok ? result : null,
                times.IndexOf(i),
                outcome == Unknown ? long.MaxValue : times.LastIndexOf(i),
                client: i));
        }

        return history;
    }

    static bool TryEveryOrder(List<Operation> history, HashSet<int> placed, string? value)
    {
        var open = Enumerable.Range(0, history.Count).Where(i => !placed.Contains(i) && history[i].Outcome != NotExecuted).ToList();
        if (open.All(i => history[i].Outcome == Unknown)) return true;
        var earliestReturn = open.Min(i => history[i].Outcome == Ok ? history[i].Returned : long.MaxValue);
        foreach (var i in open.Where(i => history[i].Invoked < earliestReturn))
        {
            if (!RegisterModel.TryApply(history[i], value, out var after)) continue;
            placed.Add(i);
            if (TryEveryOrder(history, placed, after)) return true;
            placed.Remove(i);
        }

        return false;
    }

    static Operation Op(OperationKind kind, string? argument, OperationOutcome outcome, string? result, long invoked, long returned, int client = 0) =>
        new(client, "k", kind, argument, outcome, result, invoked, returned);

    static void Good(params Operation[] history)
    {
        var result = LinearizabilityChecker.Check(history);
        Assert.True(result.Ok, result.Explanation);
    }

    static void Bad(params Operation[] history) => Assert.Equal(Verdict.NotLinearizable, LinearizabilityChecker.Check(history).Verdict);
}
