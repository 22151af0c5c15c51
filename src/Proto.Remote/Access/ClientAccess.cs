namespace Proto.Remote;

/// <summary>What clients reach unless <see cref="RemoteConfigExtensions.WithClientFilter"/> says otherwise.</summary>
public static class ClientAccess
{
    /// <summary>The engine's actors that serve clients, and with which messages only.</summary>
    static readonly (string Id, string TypeName)[] Services =
    [
        (Activator.Name, "remote.ActorPidRequest"), // spawns nothing but RemoteKinds
        ("$partition-identity", "cluster.ActivationRequest"), // the places where a cluster's client asks for a virtual actor
        ("$partition-activator", "cluster.ActivationRequest"),
        ("$placement-activator", "cluster.ActivationRequest"),
        ("$sn-activator", "cluster.ActivationRequest"),
        ("$partition-identity", "cluster.placement.SuspectActivation"), // "it did not answer": checked where it should run
        ("$placement-activator", "cluster.placement.SuspectActivation"),
        ("$server_seed", "cluster.seed.JoinAsClientRequest"),
    ];

    /// <summary>Places whose children are virtual actors: a PartitionIdentity activation is <c>$partition-activator/$7</c>.</summary>
    static readonly string[] PlacesOfVirtualActors = ["$partition-activator/", "$placement-activator/", "$sn-activator/"];

    /// <summary>
    /// Application actors, virtual actors, answers to requests, other clients, and the services above. Not: the engine's own actors (gossip,
    /// event stream, hand-over, …), and no poison pills.
    /// </summary>
    public static bool Default(ClientMessage message)
    {
        var target = message.TargetId;
        if (string.Equals(message.TypeName, "actor.PoisonPill", StringComparison.Ordinal)) return false;
        if (!target.StartsWith('$') || IsGivenName(target)) return true;
        if (target.StartsWith(ActorSystem.Client + "/", StringComparison.Ordinal)) return true;

        foreach (var place in PlacesOfVirtualActors)
        {
            if (target.StartsWith(place, StringComparison.Ordinal)) return true;
        }

        foreach (var (id, typeName) in Services)
        {
            if (string.Equals(id, target, StringComparison.Ordinal) && string.Equals(typeName, message.TypeName, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    /// <summary><c>$1</c>, <c>$2</c>, … and their children: futures, and application actors that nobody named.</summary>
    static bool IsGivenName(string id)
    {
        if (id.Length < 2 || !char.IsAsciiDigit(id[1])) return false;
        foreach (var c in id.AsSpan(1))
        {
            if (c == '/') return true;
            if (!char.IsAsciiDigit(c)) return false;
        }

        return true;
    }
}
