using Microsoft.Extensions.Logging;

namespace Proto.Cluster;

/// <summary>The member strategy of each kind that anybody hosts. Not safe for concurrent use.</summary>
sealed partial class KindStrategies(Func<string, IMemberStrategy> strategyOf, LogThrottle choices, ILogger logger)
{
    readonly Dictionary<string, IMemberStrategy> _byKind = new(StringComparer.Ordinal);

    /// <summary>Null when nobody hosts the kind, and when its strategy fails.</summary>
    public Member? GetActivator(string kind, string senderAddress)
    {
        try
        {
            return _byKind.TryGetValue(kind, out var strategy) ? strategy.GetActivator(senderAddress) : null;
        }
        catch (Exception failure)
        {
            // A user's strategy: it must not end the actor that asks it, which remembers where everything runs.
            if (choices.TryEnter(out var suppressed)) LogChoiceFailed(logger, failure, kind, suppressed);
            return null;
        }
    }

    /// <summary>A member whose kinds changed is taken out and put in again.</summary>
    public void Update(MemberView before, MemberView after)
    {
        foreach (var member in before.Members)
        {
            if (!member.Equals(after.Find(member.Id))) ForEachKind(member, static (strategy, gone) => strategy.RemoveMember(gone));
        }

        foreach (var member in after.Members)
        {
            if (!member.Equals(before.Find(member.Id))) ForEachKind(member, static (strategy, added) => strategy.AddMember(added));
        }
    }

    void ForEachKind(Member member, Action<IMemberStrategy, Member> change)
    {
        foreach (var kind in member.Kinds)
        {
            try
            {
                if (!_byKind.TryGetValue(kind, out var strategy)) _byKind[kind] = strategy = strategyOf(kind);
                change(strategy, member);
            }
            catch (Exception failure)
            {
                // A user's strategy: who is a member does not depend on it.
                LogStrategyFailed(logger, failure, kind, member.Id);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The member strategy of the kind {Kind} failed on the member {MemberId}")]
    static partial void LogStrategyFailed(ILogger logger, Exception failure, string kind, string memberId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The member strategy of the kind {Kind} chose nobody ({Suppressed} more such events were not logged)")]
    static partial void LogChoiceFailed(ILogger logger, Exception failure, string kind, int suppressed);
}
