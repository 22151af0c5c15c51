using ActorCluster.Protocol;
using Google.Protobuf;

namespace ActorCluster.Membership;

/// <summary>What applying a coordinator command gave to its proposer.</summary>
/// <param name="Error">None, or why the command was refused; then nothing changed.</param>
/// <param name="Message">For people, when refused.</param>
/// <param name="View">View number after the command.</param>
/// <param name="Changed">Whether it raised the view.</param>
/// <param name="Reply">The reply of the part that the command was for.</param>
/// <param name="Refusal">The event that records a refusal.</param>
public sealed record CoordinatorResult(ErrorCode Error, string Message, ulong View, bool Changed, IMessage? Reply = null, MembershipEvent? Refusal = null)
{
    public bool Ok => Error == ErrorCode.None;
}
