using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Keyspace;

/// <summary>
/// The one place where limits of requests are checked, before anything is proposed: apply is a pure function of the log
/// and refuses nothing for its size.
/// </summary>
public static class RequestValidation
{
    /// <summary>Longest label of a session, in UTF-16 code units.</summary>
    public const int MaxLabelLength = 128;

    /// <summary>What is wrong with a request, or null. Every failure is NotExecuted.</summary>
    public static Failure? Check(KvRequest request)
    {
        if (request.Session is { } session && Check(session) is { } invalid) return invalid;
        return request.OpCase switch
        {
            KvRequest.OpOneofCase.Put => CheckKey(request.Put.Key) ?? CheckValue("value", request.Put.Value.Length),
            KvRequest.OpOneofCase.Get => CheckKey(request.Get.Key),
            KvRequest.OpOneofCase.Delete => CheckKey(request.Delete.Key),
            KvRequest.OpOneofCase.OpenSession => request.OpenSession.Label.Length > MaxLabelLength
                ? Invalid($"label has {request.OpenSession.Label.Length} characters; at most {MaxLabelLength} are allowed")
                : null,
            _ => Invalid("op is missing: put, get, delete or open_session"),
        };
    }

    /// <summary>What is wrong with a session's reference, or null.</summary>
    public static Failure? Check(SessionRef session)
    {
        if (session.SessionId == 0) return Invalid("session_id is 0; open a session first");
        if (session.Sequence == 0) return Invalid("sequence is 0; sequences count from 1");
        if (session.LowestPending > session.Sequence)
            return Invalid($"lowest_pending {session.LowestPending} is above sequence {session.Sequence}");
        return null;
    }

    /// <summary>A key: 1 to <see cref="Limits.MaxKeyBytes"/> bytes of UTF-8.</summary>
    public static Failure? CheckKey(string key)
    {
        if (key.Length == 0) return Invalid("key is empty");
        if (key.Length * 3 <= Limits.MaxKeyBytes) return null;
        var bytes = Encoding.UTF8.GetByteCount(key);
        return bytes > Limits.MaxKeyBytes
            ? Failures.NotExecuted(ErrorCode.KeyTooLong, $"key has {bytes} bytes of UTF-8; at most {Limits.MaxKeyBytes} are allowed")
            : null;
    }

    /// <summary>A value, a grain's state, message or reply: at most <see cref="Limits.MaxValueBytes"/> bytes.</summary>
    public static Failure? CheckValue(string field, int bytes) => bytes > Limits.MaxValueBytes
        ? Failures.NotExecuted(ErrorCode.ValueTooLarge, $"{field} has {bytes} bytes; at most {Limits.MaxValueBytes} are allowed")
        : null;

    static Failure Invalid(string message) => Failures.NotExecuted(ErrorCode.InvalidArgument, message);
}
