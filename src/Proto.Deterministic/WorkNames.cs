using System.Runtime.CompilerServices;

namespace Proto.Deterministic;

/// <summary>Names for the trace of what only delegates tell: stable for one build of the code.</summary>
static class WorkNames
{
    // Per world thread: worlds of different threads share nothing.
    [ThreadStatic]
    static Dictionary<Type, string>? s_byType;

    static readonly ConditionalWeakTable<Delegate, string> ByDelegate = [];

    public static string Of(Delegate callback) => ByDelegate.GetValue(callback, static made => $"{NameOf(made.Method.DeclaringType)}.{made.Method.Name}");

    /// <summary>What continues: the async method whose state machine an await's continuation belongs to.</summary>
    public static string OfContinuation(object? state)
    {
        // An await of a task, or of a value task source with its continuation's argument.
        var target = state is ITuple { Length: 2 } pair ? pair[1] : (state as Delegate)?.Target;
        if (target is null) return "callback";
        var type = target.GetType();
        var names = s_byType ??= [];
        if (!names.TryGetValue(type, out var name)) names[type] = name = NameOfContinuation(type);
        return name;
    }

    static string NameOfContinuation(Type type)
    {
        // AsyncStateMachineBox<TResult, TStateMachine>
        if (!type.IsGenericType) return NameOf(type);
        var machine = type.GenericTypeArguments[^1];
        return NameOf(machine);
    }

    static string NameOf(Type? type)
    {
        if (type is null) return "";
        var own = type.Name;
        return type.DeclaringType is { } outer ? $"{NameOf(outer)}.{own}" : own;
    }
}
