using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// What a message from the network must hold before a state machine sees it: a node that sends nonsense is not answered,
/// and harms nobody.
/// </summary>
static class WellFormed
{
    public static bool Is(NodeInfo? node) => node is { Uid: not 0, Address.Length: > 0 };

    public static bool Is(Gossip gossip) =>
        Is(gossip.Sender)
        && gossip.RangeHashes.Count <= MemberTable.Ranges
        && (gossip.Delta is null || Are(gossip.Delta.Members))
        && Are(gossip.Observations);

    public static bool Is(JoinReply reply) =>
        (reply.View is null || Are(reply.View.Members)) && Are(reply.Observations) && (reply.Formed is null || Is(reply.Formed));

    public static bool Is(FormingMessage message) => Is(message.From) && message.BodyCase switch
    {
        FormingMessage.BodyOneofCase.Hello => message.Hello is { Settings: not null } hello
            && hello.Known.All(Is) && (hello.Binding is null || Is(hello.Binding)),
        FormingMessage.BodyOneofCase.Prepare => message.Prepare is { Ballot: not null, Binding: not null } prepare && Is(prepare.Binding),
        FormingMessage.BodyOneofCase.Promise => message.Promise is { Ballot: not null } promise && (promise.Accepted is null || Is(promise.Accepted)),
        FormingMessage.BodyOneofCase.Accept => message.Accept is { Ballot: not null, Value: not null } accept && Is(accept.Value),
        FormingMessage.BodyOneofCase.AcceptReply => message.AcceptReply.Ballot is not null,
        FormingMessage.BodyOneofCase.Chosen => message.Chosen.Value is { } value && Is(value),
        _ => false,
    };

    static bool Are(IEnumerable<MemberRecord> records) => records.All(r => Is(r.Node));

    static bool Are(IEnumerable<Observation> observations) =>
        observations.All(o => Is(o.Node) && o.Node.Uid == o.Subject && o.Evidence.Length <= Observations.MaxEvidence);

    static bool Is(FormingBinding binding) =>
        binding.Uids.Count > 0 && binding.Nodes.Count == binding.Uids.Count && binding.Nodes.All(Is) && (binding.Inherited is null || Is(binding.Inherited));

    static bool Is(FormingAccepted accepted) => accepted is { Ballot: not null, Value: not null } && Is(accepted.Value);

    static bool Is(FormedCluster cluster) => cluster is { ClusterId.Length: > 0, Members.Count: > 0 } && cluster.Members.All(Is);
}
