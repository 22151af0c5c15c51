using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ActorCluster.Raft;

/// <summary>
/// What must be true for the cluster never to lie. Checked in Release too: a broken invariant stops the group or the
/// node, loudly, before it acknowledges anything.
/// </summary>
public static class Invariant
{
    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        [InterpolatedStringHandlerArgument(nameof(condition))] ref InvariantMessage message,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition) Fail(expression, message.ToStringAndClear());
    }

    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        string message,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition) Fail(expression, message);
    }

    /// <summary>For a place that cannot be reached while the invariants hold.</summary>
    [DoesNotReturn]
    public static void Fail(string expression, string message) =>
        throw new InvariantViolationException($"{message} (broken: {expression})");
}

/// <summary>A promise of the cluster does not hold inside this process. Nobody catches it to go on.</summary>
public sealed class InvariantViolationException(string message) : Exception(message);

/// <summary>Formats its text only when the checked condition is false.</summary>
[InterpolatedStringHandler]
public ref struct InvariantMessage
{
    DefaultInterpolatedStringHandler _inner;

    public InvariantMessage(int literalLength, int formattedCount, bool condition, out bool shouldAppend)
    {
        shouldAppend = !condition;
        _inner = condition ? default : new DefaultInterpolatedStringHandler(literalLength, formattedCount);
    }

    public void AppendLiteral(string value) => _inner.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _inner.AppendFormatted(value);

    public string ToStringAndClear() => _inner.ToStringAndClear();
}
