using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Reports;

/// <summary>One line of the table.</summary>
/// <param name="What">What is measured.</param>
/// <param name="Unit">Of value and baseline.</param>
/// <param name="BaselineName">What it is compared with.</param>
/// <param name="Result">Measured here.</param>
/// <param name="Target">What it must reach; null where only the number is of interest.</param>
/// <param name="ProtoActor16">What Proto.Actor 1.6 was measured to do on such a machine.</param>
sealed record Row(string What, string Unit, string BaselineName, Comparison Result, Target? Target, string ProtoActor16);
