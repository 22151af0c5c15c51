using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>The logger factory of systems that were configured without one.</summary>
public static class Log
{
    private static volatile ILoggerFactory s_factory = new UnconfiguredLoggerFactory();

    public static void SetLoggerFactory(ILoggerFactory loggerFactory) => s_factory = loggerFactory;

    public static ILogger CreateLogger(string categoryName) => s_factory.CreateLogger(categoryName);

    public static ILogger CreateLogger<T>() => s_factory.CreateLogger<T>();

    internal static ILoggerFactory Factory => s_factory;
}

/// <summary>Without a factory nothing is logged; the first warning that is lost says so on standard error, once per OS process.</summary>
internal sealed class UnconfiguredLoggerFactory : ILoggerFactory, ILogger
{
    private int _told;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("give the actor system a logger factory: ActorSystemConfig.WithLoggerFactory");

    public void Dispose() { }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && _told == 0;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel < LogLevel.Warning || Interlocked.Exchange(ref _told, 1) != 0) return;

        Console.Error.WriteLine(
            "Proto.Actor: no logger factory (ActorSystemConfig.WithLoggerFactory); this and all further warnings and errors are lost: "
            + formatter(state, exception)
            + (exception is null ? "" : Environment.NewLine + exception));
    }
}
