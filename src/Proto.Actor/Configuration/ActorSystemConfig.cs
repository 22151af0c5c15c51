using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>Settings of an actor system. Immutable.</summary>
public record ActorSystemConfig
{
    /// <summary>Period in which at most <see cref="DeadLetterThrottleCount"/> dead letters are logged.</summary>
    public TimeSpan DeadLetterThrottleInterval { get; init; } = TimeSpan.FromSeconds(10);

    public int DeadLetterThrottleCount { get; init; } = 3;

    /// <summary>Also log dead letters whose sender learns of it anyway.</summary>
    public bool DeadLetterRequestLogging { get; init; } = true;

    /// <summary>Log requests that ended with a <see cref="DeadLetterResponse"/>.</summary>
    public bool DeadLetterResponseLogging { get; init; }

    /// <summary>Log every supervised failure with its whole stack at error level.</summary>
    public bool DeveloperSupervisionLogging { get; init; }

    public bool MetricsEnabled { get; init; }

    /// <summary>Requests share one process with numbered slots, which is quicker than a process each.</summary>
    public bool SharedFutures { get; init; } = true;

    /// <summary>Slots of the shared future; requests beyond get a process of their own.</summary>
    public int SharedFutureSize { get; init; } = 5000;

    /// <summary>Timeout of requests without a token of their own.</summary>
    public TimeSpan ActorRequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest acceptable wait of a work item in the thread pool; longer is logged.</summary>
    public TimeSpan ThreadPoolStatsTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Log a thread pool that is slower than <see cref="ThreadPoolStatsTimeout"/>.</summary>
    public bool DeveloperThreadPoolStatsLogging { get; init; }

    /// <summary>Level at which events of the diagnostics store are logged.</summary>
    public LogLevel DiagnosticsLogLevel { get; init; } = LogLevel.Information;

    /// <summary>How diagnostics show an actor that does not implement <see cref="IActorDiagnostics"/>.</summary>
    public Func<IActor, string> DiagnosticsSerializer { get; init; } = static actor => actor.ToString() ?? "";

    public Func<RootContext, IRootContext> ConfigureRootContext { get; init; } = static context => context;

    public Func<Props, Props> ConfigureProps { get; init; } = static props => props;

    public Func<string, Props, Props> ConfigureSystemProps { get; init; } = static (_, props) => props;

    /// <summary>Wraps every actor's process; null: not.</summary>
    public Func<Process, Process>? ConfigureProcess { get; init; }

    /// <summary>Clock of all timers and timeouts. An addition of this implementation.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where work runs, and where ids and random numbers come from. An addition of this implementation.</summary>
    public ISystemRuntime Runtime { get; init; } = ThreadPoolRuntime.Instance;

    /// <summary>Where logs go; null: where <see cref="Log"/> says. An addition of this implementation.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    public static ActorSystemConfig Setup() => new();

    public ActorSystemConfig WithDeadLetterThrottleInterval(TimeSpan interval) => this with { DeadLetterThrottleInterval = interval };

    public ActorSystemConfig WithDeadLetterThrottleCount(int count) => this with { DeadLetterThrottleCount = count };

    public ActorSystemConfig WithDeadLetterRequestLogging(bool enabled) => this with { DeadLetterRequestLogging = enabled };

    public ActorSystemConfig WithDeadLetterResponseLogging(bool enabled) => this with { DeadLetterResponseLogging = enabled };

    public ActorSystemConfig WithDeveloperSupervisionLogging(bool enabled) => this with { DeveloperSupervisionLogging = enabled };

    public ActorSystemConfig WithMetrics(bool enabled = true) => this with { MetricsEnabled = enabled };

    public ActorSystemConfig WithSharedFutures(int size = 5000) => this with { SharedFutures = true, SharedFutureSize = size };

    public ActorSystemConfig WithActorRequestTimeout(TimeSpan timeout) => this with { ActorRequestTimeout = timeout };

    public ActorSystemConfig WithThreadPoolStatsTimeout(TimeSpan timeout) => this with { ThreadPoolStatsTimeout = timeout };

    public ActorSystemConfig WithDeveloperThreadPoolStatsLogging(bool enabled) => this with { DeveloperThreadPoolStatsLogging = enabled };

    public ActorSystemConfig WithDiagnosticsLogLevel(LogLevel level) => this with { DiagnosticsLogLevel = level };

    /// <inheritdoc cref="DiagnosticsSerializer"/>
    public ActorSystemConfig WithDiagnosticsSerializer(Func<IActor, string> serializer) => this with { DiagnosticsSerializer = serializer };

    public ActorSystemConfig WithConfigureRootContext(Func<RootContext, IRootContext> configure) => this with { ConfigureRootContext = configure };

    public ActorSystemConfig WithConfigureProps(Func<Props, Props> configure) => this with { ConfigureProps = configure };

    public ActorSystemConfig WithConfigureSystemProps(Func<string, Props, Props> configure) => this with { ConfigureSystemProps = configure };

    public ActorSystemConfig WithConfigureProcess(Func<Process, Process> configure) => this with { ConfigureProcess = configure };

    /// <inheritdoc cref="TimeProvider"/>
    public ActorSystemConfig WithTimeProvider(TimeProvider timeProvider) => this with { TimeProvider = timeProvider };

    /// <inheritdoc cref="Runtime"/>
    public ActorSystemConfig WithRuntime(ISystemRuntime runtime) => this with { Runtime = runtime };

    /// <inheritdoc cref="LoggerFactory"/>
    public ActorSystemConfig WithLoggerFactory(ILoggerFactory loggerFactory) => this with { LoggerFactory = loggerFactory };
}
