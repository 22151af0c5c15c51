namespace ActorCluster;

/// <summary>One setting that is missing or wrong.</summary>
/// <param name="Field">Name of the setting, as in <see cref="ActorClusterOptions"/>.</param>
/// <param name="Value">What was given; null when nothing was.</param>
/// <param name="Allowed">What is allowed, for people.</param>
public sealed record OptionProblem(string Field, string? Value, string Allowed)
{
    /// <summary>The setting's name on the command line, when it has one.</summary>
    public string? Option => ActorClusterSettings.Find(Field)?.Option;

    public override string ToString()
    {
        var name = Option is { } option ? $"{Field} ({option})" : Field;
        return string.IsNullOrEmpty(Value) ? $"{name} is missing: give {Allowed}" : $"{name} is \"{Value}\": give {Allowed}";
    }
}

/// <summary>Everything that is wrong with a node's settings, at once; nothing was started.</summary>
public sealed class ActorClusterOptionsException(IReadOnlyList<OptionProblem> problems)
    : Exception($"{problems.Count} setting(s) missing or wrong:{string.Concat(problems.Select(p => Environment.NewLine + "  " + p))}")
{
    public IReadOnlyList<OptionProblem> Problems { get; } = problems;
}
