namespace Proto.Mailbox;

/// <summary>A mailbox of the engine's own.</summary>
internal interface IEngineMailbox
{
    /// <summary>Tells it whose mailbox it is, before anybody can post to it.</summary>
    void Attach(ActorSystem system, string id);

    /// <summary>Gives memory back that an idle mailbox does not need. False: it is not idle.</summary>
    bool TryTrim();
}
