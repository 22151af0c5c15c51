using System.Globalization;

namespace ActorCluster.Simulation.Histories;

/// <summary>
/// The sequential specification of one key: a register that can be absent, set, removed, and added to.
/// </summary>
public static class RegisterModel
{
    /// <summary>
    /// Applies an operation to the value (null: absent). False when an operation that ended Ok could not have given the
    /// result it gave.
    /// </summary>
    public static bool TryApply(Operation operation, string? value, out string? after)
    {
        var known = operation.Outcome == OperationOutcome.Ok;
        switch (operation.Kind)
        {
            case OperationKind.Put:
                after = operation.Argument;
                return true;
            case OperationKind.Get:
                after = value;
                return !known || operation.Result == value;
            case OperationKind.Delete:
                after = null;
                return !known || operation.Result is null || (operation.Result == "true") == value is not null;
            case OperationKind.Add:
                var sum = Number(value) + Number(operation.Argument);
                after = sum.ToString(CultureInfo.InvariantCulture);
                return !known || operation.Result is null || operation.Result == after;
            default:
                throw new ArgumentOutOfRangeException(nameof(operation), operation.Kind, "no such operation");
        }
    }

    static long Number(string? value) => value is null ? 0 : long.Parse(value, CultureInfo.InvariantCulture);
}
