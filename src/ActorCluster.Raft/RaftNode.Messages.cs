using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

// Messages as this replica sends them: from itself, in its term.
public sealed partial class RaftNode
{
    void Send(RaftMessage message) => _messages.Add(message);

    RaftMessage NewMessage(NodeUid to) => new() { Group = Group.Value, From = Self.Value, To = to.Value, Term = _term };

    RaftMessage NewMessage(NodeUid to, AppendRequest body)
    {
        var message = NewMessage(to);
        message.AppendRequest = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, AppendResponse body)
    {
        var message = NewMessage(to);
        message.AppendResponse = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, Heartbeat body)
    {
        var message = NewMessage(to);
        message.Heartbeat = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, HeartbeatResponse body)
    {
        var message = NewMessage(to);
        message.HeartbeatResponse = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, VoteRequest body)
    {
        var message = NewMessage(to);
        message.VoteRequest = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, VoteResponse body)
    {
        var message = NewMessage(to);
        message.VoteResponse = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, ReadIndexRequest body)
    {
        var message = NewMessage(to);
        message.ReadIndexRequest = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, ReadIndexResponse body)
    {
        var message = NewMessage(to);
        message.ReadIndexResponse = body;
        return message;
    }

    RaftMessage NewMessage(NodeUid to, TimeoutNow body)
    {
        var message = NewMessage(to);
        message.TimeoutNow = body;
        return message;
    }
}
