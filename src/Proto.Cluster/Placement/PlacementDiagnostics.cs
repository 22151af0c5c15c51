namespace Proto.Cluster.Placement;

/// <summary>Facts about placement on one member, for whoever inspects it. The answer to itself, so that it is true of one moment.</summary>
sealed record PlacementDiagnostics(string Topology, int Activations, IReadOnlyList<string> WaitsFor)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static readonly PlacementDiagnostics Question = new("", 0, []);

    /// <summary>Asks an actor of a lookup; an actor that does not answer is told as that.</summary>
    public static async Task<DiagnosticsEntry[]> AskAsync(Cluster cluster, PID? target)
    {
        if (target is null) return [];
        try
        {
            var facts = await cluster.System.Root.RequestAsync<PlacementDiagnostics>(target, Question, cluster.System.Deadlines.After(Patience));
            return [new DiagnosticsEntry(target.Id, null, facts)];
        }
        catch (Exception silent) when (silent is TimeoutException or DeadLetterException)
        {
            return [new DiagnosticsEntry(target.Id, silent.Message, null)];
        }
    }
}
