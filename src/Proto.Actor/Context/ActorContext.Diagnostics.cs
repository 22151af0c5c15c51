using System.Globalization;
using System.Text;

namespace Proto;

internal sealed partial class ActorContext
{
    private const int MostPidsShown = 20;

    private string Describe()
    {
        var text = new StringBuilder();
        void Line(string name, object? value) => text.AppendLine(CultureInfo.InvariantCulture, $"{name}: {value}");
        void Pids(string name, IReadOnlyCollection<PID>? pids)
        {
            if (pids is not { Count: > 0 }) return;

            var shown = string.Join(", ", pids.Take(MostPidsShown).Select(pid => pid.ToDiagnosticString()));
            Line(name, $"{pids.Count} ({shown}{(pids.Count > MostPidsShown ? ", …" : "")})");
        }

        Line("PID", Self.ToDiagnosticString());
        if (Parent is not null) Line("Parent", Parent.ToDiagnosticString());
        Line("Actor", _actor?.GetType().FullName ?? "none at present");
        Line("State", _awaitsDecision ? $"{_state}, waits for its supervisor" : _state.ToString());
        Line("Mailbox", _mailbox.UserMessageCount);
        Pids("Children", _extras?.Children);
        Pids("Watchers", _extras?.Watchers);
        if (ReceiveTimeout > TimeSpan.Zero) Line("ReceiveTimeout", ReceiveTimeout);
        if (_extras?.RestartStatistics is { FailureCount: > 0 } failures) Line("Failures", failures.FailureCount);
        if (_actor is { } actor)
        {
            text.Append(actor is IActorDiagnostics own ? own.GetDiagnosticsString() : System.Config.DiagnosticsSerializer(actor));
        }

        return text.ToString().TrimEnd();
    }
}
