using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Grains.Tests;

public class IdentityTableTests
{
    static readonly IdentityMember A = new(new NodeUid(1), 1, "a:1", MemberState.Up);
    static readonly IdentityMember B = new(new NodeUid(2), 1, "b:1", MemberState.Up);
    static readonly ActorPath AtA = new("a:1", "counter/x@1.1.2");
    static readonly ActorPath AtB = new("b:1", "counter/x@1.2.2");

    readonly IdentityTable _table = new(capacity: 3, timeToLiveMs: 1_000);

    public IdentityTableTests() => _table.Update(1, [A, B], 0);

    bool Learn(ActorPath path, long nowMs = 0)
    {
        Assert.True(GrainAddress.TryParse(path.Id, out var address, out _));
        return _table.Learn(address.Kind, address.Identity, path, address.Epoch, nowMs);
    }

    [Fact]
    public void B21_A_resolution_gives_the_canonical_path()
    {
        Assert.True(Learn(AtA));
        var result = _table.Resolve("counter", "x", 0);
        Assert.Equal((ResolveStatus.Ready, "a:1/counter/x@1.1.2", new Epoch(1, 1, 2), 1ul), (result.Status, result.Path!.ToString(), result.Epoch, result.MembershipVersion));

        var pid = _table.ResolvePid("a:1/counter/x@1.1.2", 0);
        Assert.Equal((ResolveStatus.Ready, AtA, new Epoch(1, 1, 2)), (pid.Status, pid.Path, pid.Epoch));
        Assert.Equal(ResolveStatus.Ready, _table.ResolvePid("b:1/admin", 0).Status);
    }

    [Theory]
    [InlineData(MemberState.Unreachable)]
    [InlineData(MemberState.Removed)]
    public void B22_A_node_that_is_gone_or_unreachable_is_not_sent_to(MemberState state)
    {
        Learn(AtA);
        _table.Update(2, [A with { State = state }, B], 5);

        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "x", 5).Status);
        var pid = _table.ResolvePid(AtA.ToString(), 5);
        Assert.Equal((ResolveStatus.Unreachable, (ActorPath?)null, 2ul), (pid.Status, pid.Path, pid.MembershipVersion));
        Assert.Contains(state.ToString(), pid.Reason, StringComparison.Ordinal);
        Assert.Equal(IdentityEventKind.Invalidated, _table.TakeEvents()[^1].Kind);
    }

    [Fact]
    public void B22_An_address_that_is_nobodys_is_unreachable() =>
        Assert.Equal(ResolveStatus.Unreachable, _table.ResolvePid("c:1/admin", 0).Status);

    [Fact]
    public void B23_An_authority_in_quarantine_is_refused_until_it_ends_or_is_lifted()
    {
        Learn(AtA);
        _table.Quarantine("a:1", untilMs: 100, "too many failures", 0);
        var refused = _table.Resolve("counter", "x", 99);
        Assert.Equal(ResolveStatus.Quarantined, refused.Status);
        Assert.Contains("too many failures", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(ResolveStatus.Quarantined, _table.ResolvePid(AtA.ToString(), 99).Status);
        Assert.Equal(ResolveStatus.Ready, _table.Resolve("counter", "x", 100).Status);

        _table.Quarantine("a:1", untilMs: 1_000, "again", 100);
        Assert.True(_table.Lift("a:1", "by hand", 200));
        Assert.False(_table.Lift("a:1", "by hand", 200));
        Assert.Equal(ResolveStatus.Ready, _table.Resolve("counter", "x", 200).Status);
        Assert.Equal(
            [IdentityEventKind.Learned, IdentityEventKind.Quarantined, IdentityEventKind.QuarantineEnded, IdentityEventKind.Quarantined, IdentityEventKind.QuarantineEnded],
            _table.TakeEvents().Select(e => e.Kind));
    }

    [Theory]
    [InlineData("nothing", "'/'")]
    [InlineData("host/id", "host:port")]
    [InlineData("host:0/id", "port")]
    [InlineData("host:99999/id", "port")]
    [InlineData(":1/id", "host:port")]
    [InlineData("host:1/", "id")]
    public void B24_What_is_no_pid_fails_with_a_reason(string text, string reason)
    {
        var result = _table.ResolvePid(text, 0);
        Assert.Equal(ResolveStatus.InvalidFormat, result.Status);
        Assert.Contains(reason, result.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("a/b", "x")]
    [InlineData("counter", "")]
    public void B24_A_malformed_identity_fails_with_a_reason(string kind, string identity) =>
        Assert.Equal(ResolveStatus.InvalidFormat, _table.Resolve(kind, identity, 0).Status);

    [Fact]
    public void B25_The_newest_version_wins_in_whatever_order_it_arrives()
    {
        Assert.True(Learn(AtB));
        Assert.False(Learn(AtA));
        Assert.Equal(AtB, _table.Resolve("counter", "x", 0).Path);

        _table.Update(3, [A, B with { Incarnation = 2 }], 0);
        Assert.False(_table.Update(2, [A, B], 0));
        Assert.Equal(3ul, _table.MembershipVersion);
        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "x", 0).Status);
    }

    [Fact]
    public void E42_Entries_at_other_nodes_stay_when_a_node_leaves_or_joins()
    {
        Learn(AtA);
        Learn(new ActorPath("b:1", "counter/y@1.1.3"));
        _table.Update(2, [A], 0);
        Assert.Equal(AtA, _table.Resolve("counter", "x", 0).Path);
        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "y", 0).Status);
        _table.Update(3, [A, B, new IdentityMember(new NodeUid(3), 1, "c:1", MemberState.Up)], 0);
        Assert.Equal(AtA, _table.Resolve("counter", "x", 0).Path);
    }

    [Fact]
    public void Another_node_at_the_same_address_voids_the_entries()
    {
        Learn(AtA);
        _table.Update(2, [A with { Uid = new NodeUid(9) }, B], 0);
        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "x", 0).Status);
    }

    [Fact]
    public void A_refused_epoch_is_forgotten_but_a_newer_one_is_not()
    {
        Learn(AtA);
        Assert.False(_table.Refuse("counter", "x", new Epoch(1, 1, 1), 0));
        Assert.Equal(AtA, _table.Resolve("counter", "x", 0).Path);
        Assert.True(_table.Refuse("counter", "x", new Epoch(1, 1, 2), 0));
        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "x", 0).Status);
        Assert.False(_table.Refuse("counter", "nobody", new Epoch(9, 9, 9), 0));
    }

    [Fact]
    public void E41_Entries_are_bounded_by_use_and_by_age()
    {
        for (var i = 0; i < 3; i++) Learn(new ActorPath("a:1", $"counter/{i}@1.1.2"));
        _table.Resolve("counter", "0", 0);
        Learn(new ActorPath("a:1", "counter/3@1.1.2"));
        Assert.Equal(3, _table.Count);
        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "1", 0).Status);
        Assert.Equal(ResolveStatus.Ready, _table.Resolve("counter", "0", 999).Status);
        Assert.Equal(ResolveStatus.NotFound, _table.Resolve("counter", "0", 1_000).Status);
        Assert.Equal((IdentityTable.DefaultCapacity, IdentityTable.DefaultTimeToLiveMs), (1024, 300_000L));
    }

    [Fact]
    public void Nothing_is_learned_of_a_node_that_is_no_member() =>
        Assert.False(Learn(new ActorPath("z:1", "counter/x@9.9.9")));
}
