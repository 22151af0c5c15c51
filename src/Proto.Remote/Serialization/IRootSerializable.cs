namespace Proto.Remote;

/// <summary>A message that travels in another form. Applied to the message itself only, never to what it contains.</summary>
public interface IRootSerializable
{
    IRootSerialized Serialize(ActorSystem system);
}

/// <summary>The form in which an <see cref="IRootSerializable"/> travels.</summary>
public interface IRootSerialized
{
    IRootSerializable Deserialize(ActorSystem system);
}
