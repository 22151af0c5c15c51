namespace Proto;

/// <summary>The first message of every instance of an actor, also after a restart.</summary>
public sealed class Started : SystemMessage
{
    public static readonly Started Instance = new();

    private Started() { }
}

/// <summary>The actor is about to stop; its children are still there.</summary>
public sealed class Stopping : SystemMessage
{
    public static readonly Stopping Instance = new();

    private Stopping() { }
}

/// <summary>The last message: the children are gone and the PID no longer resolves.</summary>
public sealed class Stopped : SystemMessage
{
    public static readonly Stopped Instance = new();

    private Stopped() { }
}

/// <summary>The last message of an instance that is about to be replaced.</summary>
public sealed class Restarting : SystemMessage
{
    public static readonly Restarting Instance = new();

    private Restarting() { }
}

/// <summary>No message came for the time given to <see cref="IContext.SetReceiveTimeout"/>. Told once; set the timeout again for another.</summary>
public sealed class ReceiveTimeout
{
    public static readonly ReceiveTimeout Instance = new();

    private ReceiveTimeout() { }
}
