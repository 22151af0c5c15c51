namespace Proto.Benchmarks;

/// <summary>What to measure, and for how long.</summary>
/// <param name="Rounds">Rounds per row, each followed by a round of the row's baseline.</param>
/// <param name="RoundTime">Time that one round is to take.</param>
/// <param name="IdleActors">Actors spawned to weigh them.</param>
/// <param name="Groups">"local", "remote", "cluster" or several of them.</param>
/// <param name="Only">A part of the names of the rates to measure; empty: all.</param>
sealed record BenchmarkSettings(int Rounds, TimeSpan RoundTime, int IdleActors, IReadOnlyList<string> Groups, string Only);
