using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Tests.Interaction;

/// <summary>Messages, entries and readies as one line each, for traces.</summary>
static class MessageText
{
    public static string Of(RaftMessage m) => $"{m.From}->{m.To} t{m.Term} {Body(m)}";

    public static string Of(Entry e) => e.Kind switch
    {
        EntryKind.NoOp => $"{e.Term}/{e.Index} (no-op)",
        EntryKind.Config => $"{e.Term}/{e.Index} ({Of(GroupConfig.Parser.ParseFrom(e.Payload))})",
        _ => $"{e.Term}/{e.Index} \"{e.Payload.ToStringUtf8()}\"",
    };

    public static string Of(GroupConfig c)
    {
        var text = $"voters={string.Join(',', c.Voters)}";
        if (c.OutgoingVoters.Count > 0) text += $" outgoing={string.Join(',', c.OutgoingVoters)}";
        if (c.Learners.Count > 0) text += $" learners={string.Join(',', c.Learners)}";
        if (c.LearnersNext.Count > 0) text += $" learners-next={string.Join(',', c.LearnersNext)}";
        return text;
    }

    static string Body(RaftMessage m) => m.BodyCase switch
    {
        RaftMessage.BodyOneofCase.VoteRequest =>
            $"{(m.VoteRequest.PreVote ? "PreVote" : "Vote")} log={m.VoteRequest.LastLogTerm}/{m.VoteRequest.LastLogIndex}{(m.VoteRequest.LeaderTransfer ? " transfer" : "")}",
        RaftMessage.BodyOneofCase.VoteResponse =>
            $"{(m.VoteResponse.PreVote ? "PreVoteResponse" : "VoteResponse")} {(m.VoteResponse.Granted ? "granted" : "refused")}",
        RaftMessage.BodyOneofCase.AppendRequest =>
            $"Append prev={m.AppendRequest.PrevLogTerm}/{m.AppendRequest.PrevLogIndex} commit={m.AppendRequest.LeaderCommit} [{string.Join(", ", m.AppendRequest.Entries.Select(Of))}]{(m.AppendRequest.Inquiry == 0 ? "" : $" log-ends={m.AppendRequest.LastIndex}")}",
        RaftMessage.BodyOneofCase.AppendResponse when m.AppendResponse.Success => $"AppendResponse match={m.AppendResponse.MatchIndex}{Suspect(m.AppendResponse.Inquiry)}",
        RaftMessage.BodyOneofCase.AppendResponse =>
            $"AppendResponse rejected={m.AppendResponse.RejectedIndex} conflict={m.AppendResponse.ConflictTerm}/{m.AppendResponse.ConflictIndex}{Suspect(m.AppendResponse.Inquiry)}",
        RaftMessage.BodyOneofCase.Heartbeat => $"Heartbeat commit={m.Heartbeat.LeaderCommit}{Context(m.Heartbeat.ReadContext)}",
        RaftMessage.BodyOneofCase.HeartbeatResponse => $"HeartbeatResponse{Context(m.HeartbeatResponse.ReadContext)}{Suspect(m.HeartbeatResponse.Inquiry)}",
        RaftMessage.BodyOneofCase.InstallSnapshot => $"InstallSnapshot {m.InstallSnapshot.Meta.Term}/{m.InstallSnapshot.Meta.Index}",
        RaftMessage.BodyOneofCase.ReadIndexRequest => $"ReadIndex id={m.ReadIndexRequest.ReadId}",
        RaftMessage.BodyOneofCase.ReadIndexResponse =>
            $"ReadIndexResponse id={m.ReadIndexResponse.ReadId} {(m.ReadIndexResponse.Rejected ? "rejected" : $"index={m.ReadIndexResponse.Index}")}",
        _ => m.BodyCase.ToString(),
    };

    static string Suspect(ulong inquiry) => inquiry == 0 ? "" : " suspect";

    static string Context(ulong context) => context == 0 ? "" : $" reads={context}";
}
