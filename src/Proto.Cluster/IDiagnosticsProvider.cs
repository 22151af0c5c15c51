namespace Proto.Cluster;

/// <summary>A part that can tell facts about its state.</summary>
public interface IDiagnosticsProvider
{
    Task<DiagnosticsEntry[]> GetDiagnostics() => Task.FromResult<DiagnosticsEntry[]>([]);
}
