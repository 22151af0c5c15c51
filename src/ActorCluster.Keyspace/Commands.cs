using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Keyspace;

/// <summary>Makes the commands of a partition's log from valid requests.</summary>
public static class Commands
{
    /// <summary>The command of a put, delete or open_session.</summary>
    /// <param name="request">A request that <see cref="RequestValidation"/> found valid.</param>
    /// <param name="session">Under which session, or null.</param>
    /// <param name="timeMs">The proposer's time, milliseconds since 1970.</param>
    public static ByteString Of(KvRequest request, SessionRef? session, ulong timeMs)
    {
        var command = new PartitionCommand { Session = session, TimeMs = timeMs, RequestHash = session is null ? 0 : HashOf(request) };
        switch (request.OpCase)
        {
            case KvRequest.OpOneofCase.Put:
                command.Put = request.Put;
                break;
            case KvRequest.OpOneofCase.Delete:
                command.Delete = request.Delete;
                break;
            case KvRequest.OpOneofCase.OpenSession:
                command.OpenSession = request.OpenSession;
                break;
            default:
                throw new ArgumentException($"{request.OpCase} is not a command", nameof(request));
        }

        return command.ToByteString();
    }

    /// <summary>The command of a registered part.</summary>
    public static ByteString Of(string part, ByteString payload, SessionRef? session, ulong requestHash, ulong timeMs) => new PartitionCommand
    {
        Session = session,
        TimeMs = timeMs,
        RequestHash = requestHash,
        Part = new PartCommand { Part = part, Payload = payload },
    }.ToByteString();

    /// <summary>The leader's command that ends idle sessions.</summary>
    public static ByteString Expire(IEnumerable<ulong> sessions, ulong idleMs, ulong timeMs) => new PartitionCommand
    {
        TimeMs = timeMs,
        ExpireSessions = new ExpireSessions { SessionIds = { sessions }, IdleMs = idleMs },
    }.ToByteString();

    /// <summary>What a repeat of the request must equal.</summary>
    public static ulong HashOf(KvRequest request)
    {
        var hash = new RequestHash((byte)request.OpCase);
        switch (request.OpCase)
        {
            case KvRequest.OpOneofCase.Put:
                hash.Add(request.Put.Key);
                hash.Add(request.Put.Value.Span);
                break;
            case KvRequest.OpOneofCase.Delete:
                hash.Add(request.Delete.Key);
                break;
        }

        return hash.Value;
    }
}
