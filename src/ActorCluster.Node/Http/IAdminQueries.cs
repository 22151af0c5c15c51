using ActorCluster.Protocol.Admin;

namespace ActorCluster.Node.Http;

/// <summary>What this node knows of the cluster at this moment: the admin actor's answers.</summary>
public interface IAdminQueries
{
    Members Members();

    Groups Groups();

    Partitions Partitions();
}
