namespace Proto.Diagnostics;

/// <summary>An actor that describes its own state. Asked in the actor's own turn.</summary>
public interface IActorDiagnostics
{
    string GetDiagnosticsString();
}
