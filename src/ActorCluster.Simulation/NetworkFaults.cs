namespace ActorCluster.Simulation;

/// <summary>What the simulated network does to a message. Probabilities are per message.</summary>
/// <param name="MinDelayMicros">Least delay of a link.</param>
/// <param name="MaxDelayMicros">Greatest ordinary delay; messages overtake each other within it.</param>
/// <param name="Loss">Probability that a message vanishes.</param>
/// <param name="Duplicate">Probability that it arrives twice.</param>
/// <param name="Straggle">Probability that it arrives up to <paramref name="MaxStraggleMicros"/> late.</param>
/// <param name="MaxStraggleMicros">How late a straggler may be.</param>
public sealed record NetworkFaults(
    int MinDelayMicros,
    int MaxDelayMicros,
    double Loss,
    double Duplicate,
    double Straggle,
    int MaxStraggleMicros)
{
    /// <summary>A quiet local network.</summary>
    public static readonly NetworkFaults None = new(50, 500, 0, 0, 0, 0);
}
