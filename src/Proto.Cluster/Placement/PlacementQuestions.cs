using Proto.Cluster.Identity;

namespace Proto.Cluster.Placement;

/// <summary>What a lookup found; without a PID, why not. Asking again later may help.</summary>
readonly record struct Located(PID? Pid, bool Deduplicates, string? WhyNot)
{
    public static Located Nowhere(string whyNot) => new(null, false, whyNot);
}

/// <summary>A lookup that tells why it found nothing.</summary>
interface ILocator
{
    /// <summary>Ends within the lookup's own bound, or with the token.</summary>
    /// <exception cref="IdentityIsBlockedException">Its kind refuses the identity.</exception>
    /// <exception cref="ActivationFailedException">Its actor failed to start.</exception>
    Task<Located> LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct);
}

/// <summary>Asks the actor that decides about an identity for its activation.</summary>
sealed class PlacementQuestions(Cluster cluster, TimeSpan patience)
{
    public async Task<Located> AskAsync(PID target, ActivationRequest request, CancellationToken ct)
    {
        var end = AttemptToken.Rent(ct, cluster.System.Deadlines.After(patience), cluster.Connections.LostToken(target.Address));
        try
        {
            return Answer(request.ClusterIdentity, await cluster.System.Root.RequestAsync<ActivationResponse>(target, request, end.Token));
        }
        catch (Exception notNow) when (notNow is DeadLetterException or TimeoutException)
        {
            // Not reachable, or too busy: the caller asks again, of whoever decides by then.
            return Located.Nowhere(notNow.Message);
        }
        finally
        {
            end.Return();
        }
    }

    static Located Answer(ClusterIdentity identity, ActivationResponse response)
    {
        if (response.Pid is { } pid) return new Located(pid, response.Deduplicates, null);
        if (response.InvalidIdentity) throw new IdentityIsBlockedException(identity);
        if (response.Refusal == ActivationRefusal.RefusalStartFailed) throw new ActivationFailedException(identity, response.Reason);
        return Located.Nowhere(response.Reason.Length > 0 ? response.Reason : "the activation was refused without a reason");
    }
}
