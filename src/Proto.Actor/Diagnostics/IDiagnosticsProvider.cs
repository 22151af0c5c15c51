namespace Proto.Diagnostics;

/// <summary>A part of a system that can describe its present state.</summary>
public interface IDiagnosticsProvider
{
    Task<DiagnosticsEntry[]> GetDiagnostics() => Task.FromResult<DiagnosticsEntry[]>([]);
}
