using ActorCluster.Protocol;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using Google.Protobuf;

namespace ActorCluster.Grains.Tests;

/// <summary>
/// A real replica that loses outcomes on purpose: of every six proposals one is committed and reported Unknown, one is
/// reported Unknown at once and committed later, behind what came after it, one is reported Unknown and never proposed.
/// </summary>
sealed class LosingGroup(IReplicaGroup inner) : IReplicaGroup
{
    static readonly ProposalResult Lost = new(ProposalOutcome.Unknown, 0, 0, null, ErrorCode.NoQuorum, NodeUid.None, "lost on purpose");

    ByteString? _late;
    int _count;

    public GroupId Id => inner.Id;

    public GroupStatus Status => inner.Status;

    public async Task<ProposalResult> ProposeAsync(ByteString command, CancellationToken ct)
    {
        switch (Interlocked.Increment(ref _count) % 6)
        {
            case 0:
                await inner.ProposeAsync(command, ct);
                return Lost;
            case 2:
                Interlocked.Exchange(ref _late, command);
                return Lost;
            case 4:
                return Lost;
        }

        var result = await inner.ProposeAsync(command, ct);
        if (Interlocked.Exchange(ref _late, null) is { } late) await inner.ProposeAsync(late, ct);
        return result;
    }

    public Task<ReadResult<T>> ReadAsync<T>(Func<IStateMachine, T> read, CancellationToken ct) => inner.ReadAsync(read, ct);

    public Task<MembershipChange> ChangeMembersAsync(IReadOnlyCollection<NodeUid> voters, IReadOnlyCollection<NodeUid> learners) =>
        inner.ChangeMembersAsync(voters, learners);

    public bool IsRetired => inner.IsRetired;

    public void Retire() => inner.Retire();

    public void Resume() => inner.Resume();
}
