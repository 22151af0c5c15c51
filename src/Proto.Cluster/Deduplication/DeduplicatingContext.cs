namespace Proto.Cluster;

/// <summary>Lets the actor see each request once, and keeps its replies for those that repeat it.</summary>
sealed class DeduplicatingContext(IContext inner, ReplyMemory memory) : ActorContextDecorator(inner)
{
    public override Task Receive(MessageEnvelope envelope)
    {
        if (envelope.Sender is not { } sender || !envelope.Header.TryGetValue(RequestId.Header, out var id)) return base.Receive(envelope);
        if (memory.TryBegin(id, out var request)) return FirstTime(envelope, request);

        if (request.Reply is { } reply) base.Send(sender, reply);
        else request.Repeater = sender;
        return Task.CompletedTask;
    }

    public override void Respond(object message)
    {
        Keep(message);
        base.Respond(message);
    }

    public override void Respond(object message, MessageHeader header)
    {
        Keep(new MessageEnvelope(message, null, header));
        base.Respond(message, header);
    }

    public override void Send(PID target, object message)
    {
        if (target.Equals(Sender)) Keep(message);
        base.Send(target, message);
    }

    public override void Request(PID target, object message, PID? sender)
    {
        if (target.Equals(Sender)) Keep(message);
        base.Request(target, message, sender);
    }

    async Task FirstTime(MessageEnvelope envelope, ReplyMemory.Entry request)
    {
        try
        {
            await base.Receive(envelope);
        }
        catch
        {
            memory.Failed(request);
            throw;
        }
    }

    /// <summary>The current message's reply, also in a turn after <c>ReenterAfter</c>.</summary>
    void Keep(object reply)
    {
        if (!Headers.TryGetValue(RequestId.Header, out var id) || memory.Find(id) is not { } request) return;
        if (memory.Replied(request, reply) is { } repeater) base.Send(repeater, reply);
    }
}
