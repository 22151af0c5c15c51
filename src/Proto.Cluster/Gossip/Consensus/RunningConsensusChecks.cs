using System.Collections.Immutable;

namespace Proto.Cluster.Gossip;

/// <summary>The checks that run, in the order of their registration.</summary>
sealed class RunningConsensusChecks
{
    ImmutableList<IRunningConsensusCheck> _checks = [];

    public void Add(IRunningConsensusCheck check) => ImmutableInterlocked.Update(ref _checks, static (all, added) => all.Add(added), check);

    public void Remove(IRunningConsensusCheck check) => ImmutableInterlocked.Update(ref _checks, static (all, gone) => all.Remove(gone), check);

    public ImmutableList<IRunningConsensusCheck> All => _checks;

    public IEnumerable<IRunningConsensusCheck> AffectedBy(IReadOnlySet<string> keys) => _checks.Where(check => check.AffectedKeys.Any(keys.Contains));
}
