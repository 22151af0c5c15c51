using ActorCluster.Client.Sessions;
using ActorCluster.Protocol.Grains;
using Google.Protobuf;

namespace ActorCluster.Client;

/// <summary>Calls of replicated grains, each with its effect exactly once.</summary>
public sealed class GrainClient
{
    readonly RetryingCaller _caller;

    internal GrainClient(RetryingCaller caller) => _caller = caller;

    /// <summary>
    /// Calls a grain and waits for its reply, which leaves the cluster only after the change is on the disks of a majority.
    /// Repeats the call under the same number until it ends or its deadline passes, so its effect is single.
    /// </summary>
    /// <param name="kind">Kind of the grain, e.g. "counter".</param>
    /// <param name="identity">Its identity, at most 1 KiB of UTF-8.</param>
    /// <param name="message">A protobuf message that the kind understands, at most 1 MiB.</param>
    /// <param name="ct">The deadline, if earlier than the client's own.</param>
    /// <exception cref="NotExecutedException">It had no effect.</exception>
    /// <exception cref="OutcomeUnknownException">It may have had its effect.</exception>
    public async Task<TReply> CallAsync<TReply>(string kind, string identity, IMessage message, CancellationToken ct = default)
        where TReply : IMessage<TReply>, new()
    {
        ClientLimits.CheckKey(identity, nameof(identity));
        ClientLimits.CheckValue(message.CalculateSize(), nameof(message));
        var type = message.Descriptor.FullName;
        var bytes = message.ToByteString();
        var reply = await _caller.WriteAsync<GrainReply>(
            kind,
            identity,
            (session, deadlineMs) => new GrainCall { Session = session, MessageType = type, Message = bytes, DeadlineUnixMs = deadlineMs },
            static r => r.Failure,
            ct);
        var result = new TReply();
        if (reply.MessageType != result.Descriptor.FullName)
            throw new InvalidCastException($"{kind}/{identity} answered {type} with {reply.MessageType}, not with {result.Descriptor.FullName}");
        result.MergeFrom(reply.Message);
        return result;
    }
}
