using FsCheck;
using FsCheck.Fluent;

namespace ActorCluster.Raft.Tests;

/// <summary>Faults B3: which of two logs is more up to date (paper, section 5.4.1).</summary>
public sealed class LogEndTests
{
    // Few different values, so that equal terms and equal indexes are common.
    static readonly Arbitrary<LogEnd> Ends = ArbMap.Default.GeneratorFor<(byte Term, byte Index)>()
        .Select(p => new LogEnd((ulong)(p.Term % 4), (ulong)(p.Index % 4)))
        .ToArbitrary();

    [Fact]
    public void B3_The_later_term_wins_whatever_the_index() =>
        Prop.ForAll(Ends, Ends, (a, b) => a.Term <= b.Term || a.IsAtLeast(b) && !b.IsAtLeast(a)).QuickCheckThrowOnFailure();

    [Fact]
    public void B3_In_one_term_the_longer_log_wins() =>
        Prop.ForAll(Ends, Ends, (a, b) => a.Term != b.Term || a.IsAtLeast(b) == a.Index >= b.Index).QuickCheckThrowOnFailure();

    [Fact]
    public void B3_Any_two_logs_compare_and_only_equal_ends_are_at_least_each_other() =>
        Prop.ForAll(Ends, Ends, (a, b) => (a.IsAtLeast(b) || b.IsAtLeast(a)) && (a.IsAtLeast(b) && b.IsAtLeast(a)) == (a == b)).QuickCheckThrowOnFailure();

    [Fact]
    public void B3_The_order_is_transitive() =>
        Prop.ForAll(Ends, Ends, Ends, (a, b, c) => !a.IsAtLeast(b) || !b.IsAtLeast(c) || a.IsAtLeast(c)).QuickCheckThrowOnFailure();
}
