namespace Proto.OpenTelemetry;

/// <summary>Names of the activity source and of the tags of its activities.</summary>
public static class ProtoTags
{
    public const string ActivitySourceName = "Proto.Actor";

    /// <summary>Simple name of the message's type.</summary>
    public const string MessageType = "proto.messagetype";

    /// <summary>Where the message goes.</summary>
    public const string TargetPID = "proto.targetpid";

    /// <summary>Who waits for an answer.</summary>
    public const string SenderPID = "proto.senderpid";

    /// <summary>The actor in whose turn it happens.</summary>
    public const string ActorPID = "proto.actorpid";

    /// <summary>Type of that actor.</summary>
    public const string ActorType = "proto.actortype";

    /// <summary>What the context was asked to do: the method's name.</summary>
    public const string ActionType = "proto.action";
}
