namespace Proto.Benchmarks.Measuring;

/// <summary>What a process has used since it started.</summary>
readonly record struct Usage(long AllocatedBytes, TimeSpan ProcessorTime)
{
    public static Usage OfThisProcess() => new(GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime);

    public static Usage operator +(Usage left, Usage right) => new(left.AllocatedBytes + right.AllocatedBytes, left.ProcessorTime + right.ProcessorTime);

    public static Usage operator -(Usage left, Usage right) => new(left.AllocatedBytes - right.AllocatedBytes, left.ProcessorTime - right.ProcessorTime);
}
