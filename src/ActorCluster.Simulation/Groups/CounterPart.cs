using System.Globalization;
using ActorCluster.Keyspace;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// Numbers that can only be added to, as a part of a partition's state machine: an addition executed twice, or lost, shows
/// in every later sum. A payload is "key=amount".
/// </summary>
sealed class CounterPart : IPartitionPart
{
    public const string PartName = "sim-counters";

    SortedDictionary<string, long> _sums = new(StringComparer.Ordinal);

    public string Name => PartName;

    public long Bytes => _sums.Count * 64L;

    public static ByteString Payload(string key, string amount) => ByteString.CopyFromUtf8($"{key}={amount}");

    public string? Get(string key) => _sums.TryGetValue(key, out var sum) ? sum.ToString(CultureInfo.InvariantCulture) : null;

    public CommandReply Apply(ByteString payload, in ApplyContext context)
    {
        var (key, amount) = Split(payload);
        _sums.TryGetValue(key, out var before);
        _sums[key] = before + amount;
        return new CommandReply { Version = context.Index, PartReply = ByteString.CopyFromUtf8(Get(key)!) };
    }

    public IEnumerable<ByteString> Capture() => [.. _sums.Select(s => Payload(s.Key, s.Value.ToString(CultureInfo.InvariantCulture)))];

    public IPartRestore BeginRestore() => new Restoring(this);

    static (string Key, long Amount) Split(ByteString payload)
    {
        var text = payload.ToStringUtf8();
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return (text[..at], long.Parse(text[(at + 1)..], CultureInfo.InvariantCulture));
    }

    sealed class Restoring(CounterPart part) : IPartRestore
    {
        readonly SortedDictionary<string, long> _sums = new(StringComparer.Ordinal);

        public void Add(ByteString chunk)
        {
            var (key, sum) = Split(chunk);
            _sums.Add(key, sum);
        }

        public void Complete() => part._sums = _sums;
    }
}
