using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Proto.Cluster.Gossip;

public partial class Gossiper
{
    /// <summary>Builds a check that every member has published an equal value: under one key, or under several that must all agree.</summary>
    public class ConsensusCheckBuilder<T> : IConsensusCheckDefinition<T>
    {
        readonly ImmutableList<(string Key, TryGetValue TryGet)> _values;

        delegate bool TryGetValue(GossipKeyValue entry, [MaybeNullWhen(false)] out T value);

        ConsensusCheckBuilder(ImmutableList<(string, TryGetValue)> values)
        {
            _values = values;
            AffectedKeys = values.Select(value => value.Item1).ToImmutableHashSet(StringComparer.Ordinal);
        }

        public IImmutableSet<string> AffectedKeys { get; }

        public ConsensusCheck<T> Check => HasConsensus;

        /// <param name="key">The key in the gossip state.</param>
        /// <param name="getValue">What has to be equal; null: the member has no value yet.</param>
        public static ConsensusCheckBuilder<T> Create<TE>(string key, Func<TE, T?> getValue) where TE : notnull, IMessage, new() =>
            new([(key, Unpacking(getValue))]);

        /// <summary>Every member's value under this key must be the same too.</summary>
        public ConsensusCheckBuilder<T> InConsensusWith<TE>(string key, Func<TE, T?> getValue) where TE : notnull, IMessage, new() =>
            new(_values.Add((key, Unpacking(getValue))));

        (bool consensus, T value) HasConsensus(GossipState state, IImmutableSet<string> memberIds)
        {
            if (memberIds.Count == 0) return (false, default!);
            var agreed = new List<T>(1);
            foreach (var memberId in memberIds)
            {
                if (!state.Members.TryGetValue(memberId, out var member)) return (false, default!);
                foreach (var (key, tryGet) in _values)
                {
                    if (!member.Values.TryGetValue(key, out var entry) || !tryGet(entry, out var value)) return (false, default!);
                    if (agreed.Count == 0) agreed.Add(value);
                    else if (!EqualityComparer<T>.Default.Equals(agreed[0], value)) return (false, default!);
                }
            }

            return (true, agreed[0]);
        }

        /// <summary>An entry of another type has no value.</summary>
        static TryGetValue Unpacking<TE>(Func<TE, T?> getValue) where TE : IMessage, new() => (GossipKeyValue entry, [MaybeNullWhen(false)] out T value) =>
        {
            value = entry.Value.TryUnpack<TE>(out var message) ? getValue(message) : default;
            return message is not null && value is not null;
        };
    }
}
