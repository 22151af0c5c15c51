using Proto.Deterministic.Tests.Scenarios;

namespace Proto.Deterministic.Tests;

public class SwarmTests
{
    [Fact]
    public void Each_senders_messages_arrive_in_order() => Swarm.Run(1, 2000, PingPong.Run);

    [Fact]
    public void A_supervised_actor_loses_only_what_it_failed_on() => Swarm.Run(1, 1000, SupervisedFailures.Run);

    [Fact]
    public void Requests_between_systems_have_one_outcome_each_whatever_the_network_does()
    {
        var coverage = new Coverage();
        Swarm.Run(1, 600, world => RemoteTraffic.Run(world, coverage));
        coverage.MustHave("reset", "one-way cut", "cut", "slow link", "peer that does not read", "answer", nameof(TimeoutException), nameof(UnknownOutcomeException));
    }

    [Fact]
    public void Every_watcher_of_a_lost_peer_is_told_once()
    {
        var coverage = new Coverage();
        Swarm.Run(1, 1000, world => WatchedPeer.Run(world, coverage));
        coverage.MustHave(Enum.GetNames<TerminatedReason>());
    }

    [Fact]
    public void A_peer_that_comes_back_as_another_incarnation_is_another_for_watchers_and_the_same_for_the_order_of_messages()
    {
        var coverage = new Coverage();
        Swarm.Run(1, 500, world => RestartedPeer.Run(world, coverage));
        coverage.MustHave("kill", "power cut", "restart at once", "dead letter", "answer", nameof(UnknownOutcomeException), nameof(DeadLetterException));
    }

    [Fact]
    public void Requests_to_virtual_actors_are_executed_at_most_once_and_have_one_outcome_each_while_members_are_lost()
    {
        var coverage = new Coverage();
        Swarm.Run(1, 300, world => ClusterUnderFaults.Run(world, coverage));
        coverage.MustHave("kill", "power cut", "partition", "pause", "leave", "answer", nameof(TimeoutException), "PartitionIdentityLookup", "PartitionActivatorLookup");
    }

    [Fact]
    public void No_virtual_actor_runs_twice_while_members_join_leave_and_die_and_hear_of_it_at_different_times()
    {
        var coverage = new Coverage();
        Swarm.Run(1, 60, world => PlacementUnderChurn.Run(world, coverage));
        coverage.MustHave("join", "leave", "death", "answer", "lookup 0", "lookup 1", "lookup 2");
    }

    [Fact]
    public void An_order_that_is_wrong_only_sometimes_is_found_and_its_seed_fails_the_same_way_again()
    {
        var found = Assert.Throws<DeterministicFailureException>(() => Swarm.Run(1, 200, OvertakingForwarder.Run));
        var again = Assert.Throws<DeterministicFailureException>(() => Swarm.Single(found.Seed, OvertakingForwarder.Run));

        Assert.Contains("1 arrived after 2", found.Message, StringComparison.Ordinal);
        Assert.Contains($"PROTO_SEED={found.Seed}", found.Message, StringComparison.Ordinal);
        Assert.Equal(found.Message, again.Message);
    }
}
