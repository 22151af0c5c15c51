namespace Proto.Cluster.Seed;

/// <summary>Where members find others to join: a list that outlives each of them (a database, a file share, a fixed address).</summary>
public interface ISeedNodeDiscovery
{
    /// <summary>This member can be joined from now on.</summary>
    Task Register(string memberId, string host, int port);

    /// <summary>This member leaves. Called for the member itself only: nobody takes others off the list.</summary>
    Task Remove(string memberId);

    /// <summary>Whom to join. Entries of members that are gone do no harm.</summary>
    Task<(string memberId, string host, int port)[]> GetAll();
}
