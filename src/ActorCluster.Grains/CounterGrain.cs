using ActorCluster.Protocol.Grains;

namespace ActorCluster.Grains;

/// <summary>The built-in kind <c>counter</c>: a replicated number.</summary>
public sealed class CounterGrain : ReplicatedGrain<CounterState>
{
    public const string KindName = "counter";

    public CounterGrain()
    {
        On<CounterAdd>(add => new CounterValue { Value = State.Value = checked(State.Value + add.Amount) });
        On<CounterGet>(_ => new CounterValue { Value = State.Value });
    }
}
