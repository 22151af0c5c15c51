using System.Globalization;
using Microsoft.Extensions.Logging;
using Proto.Mailbox;

namespace Proto;

/// <summary>A world of actors: their names, event stream, dead letters, clock and log. Several may live in one OS process.</summary>
public sealed partial class ActorSystem : IAsyncDisposable
{
    /// <summary>Address of a system that cannot be reached from others.</summary>
    public const string NoHost = "nonhost";

    /// <summary>First part of the address of a system that others reach only through the connection that it opened.</summary>
    public const string Client = "$client";

    private static readonly AsyncLocal<ActorSystem?> s_inStepOf = new();

    private readonly CancellationTokenSource _shutdown = new();
    private readonly ILogger _logger;
    private readonly ThreadPoolStats? _threadPoolStats;
    private readonly TaskCompletionSource _shutdownDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _host = NoHost;
    private int _port;
    private int _shutdownBegun;

    public ActorSystem() : this(new ActorSystemConfig()) { }

    public ActorSystem(ActorSystemConfig config)
    {
        Config = config;
        UsesThreadPool = config.Runtime is ThreadPoolRuntime;
        Id = config.Runtime.NewGuid().ToString("N");
        Shutdown = _shutdown.Token; // stays readable after disposal
        LoggerFactory = config.LoggerFactory ?? Log.Factory;
        _logger = LoggerFactory.CreateLogger<ActorSystem>();
        Deadlines = new DeadlineTokens(config.TimeProvider);
        MailboxTrimmer = UsesThreadPool ? new MailboxTrimmer() : null;
        Metrics = new ProtoMetrics(this);
        ProcessRegistry = new ProcessRegistry(this);
        EventStream = new EventStream(_logger, config.Runtime);
        Diagnostics = new DiagnosticsStore(LoggerFactory.CreateLogger<DiagnosticsStore>(), config.DiagnosticsLogLevel);
        DeadLetters = new DeadLetterProcess(this);
        DeadLetterPid = ProcessRegistry.TryAdd("$deadletter", DeadLetter).pid;
        Guardians = new Guardians(this);
        SharedFuture = config.SharedFutures ? new SharedFutureProcess(this, config.SharedFutureSize) : null;
        Root = config.ConfigureRootContext(new RootContext(this));
        if (UsesThreadPool && (config.MetricsEnabled || config.DeveloperThreadPoolStatsLogging)) _threadPoolStats = new ThreadPoolStats(this);
    }

    /// <summary>Unique per system; also the id of its member in a cluster.</summary>
    public string Id { get; }

    /// <summary><c>host:port</c>, <see cref="NoHost"/>, or <c>$client/{Id}</c>.</summary>
    public string Address { get; private set; } = NoHost;

    public ActorSystemConfig Config { get; }

    public DiagnosticsStore Diagnostics { get; }

    public ProcessRegistry ProcessRegistry { get; }

    public IRootContext Root { get; }

    /// <summary>Why the system was shut down; empty until then.</summary>
    public string StoppedReason { get; private set; } = "";

    public Guardians Guardians { get; }

    public Process DeadLetter => DeadLetters;

    public PID DeadLetterPid { get; }

    public EventStream EventStream { get; }

    public ProtoMetrics Metrics { get; }

    public ActorSystemExtensions Extensions { get; } = new();

    /// <summary>Cancelled when the actors are about to be stopped, after the extensions have left.</summary>
    public CancellationToken Shutdown { get; }

    /// <summary>False: continuations and combinators of tasks must not find their way to the thread pool.</summary>
    internal bool UsesThreadPool { get; }

    internal DeadLetterProcess DeadLetters { get; }

    internal bool IsShuttingDown => Volatile.Read(ref _shutdownBegun) != 0;

    internal ILoggerFactory LoggerFactory { get; }

    internal DeadlineTokens Deadlines { get; }

    internal MailboxTrimmer? MailboxTrimmer { get; }

    internal SharedFutureProcess? SharedFuture { get; }

    /// <summary>Sets where others reach this system. PIDs made before keep the old address, which still means this system to itself.</summary>
    public void SetAddress(string host, int port)
    {
        _host = host;
        _port = port;
        Address = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
    }

    public void SetClientAddress()
    {
        _host = Client;
        _port = 0;
        Address = $"{Client}/{Id}";
    }

    public (string Host, int Port) GetAddress() => (_host, _port);

    public IRootContext NewRoot(MessageHeader? headers = null, params Func<Sender, Sender>[] middleware) =>
        Config.ConfigureRootContext(new RootContext(this, headers, middleware));

    public async ValueTask DisposeAsync()
    {
        await ShutdownAsync("Disposed");
        if (_shutdownDone.Task.IsCompleted) _shutdown.Dispose(); // not yet when an extension disposes the system in its own step
    }

    /// <summary>
    /// Lets the extensions leave (see <see cref="Extensions.IActorSystemLifecycle"/>), cancels <see cref="Shutdown"/>, stops all actors, parents
    /// after their children, waits for them for at most <see cref="ActorSystemConfig.ActorRequestTimeout"/>, and ends the extensions. Always
    /// completes, and never throws. Further calls wait for the first.
    /// </summary>
    public async Task ShutdownAsync(string reason = "")
    {
        // An extension's own step would wait for itself.
        if (s_inStepOf.Value == this) return;

        if (Interlocked.Exchange(ref _shutdownBegun, 1) == 0)
        {
            try
            {
                StoppedReason = reason;
                LogShutdown(_logger, Address, reason);
                var extensions = Extensions.InOrder().Reverse().OfType<IActorSystemLifecycle>().ToList();
                foreach (var extension in extensions) await RunStep(extension, () => extension.BeforeActorsStopAsync(reason));
                CancelShutdownToken();
                _threadPoolStats?.Dispose();
                await StopRootActors();
                foreach (var extension in extensions) await RunStep(extension, () => extension.AfterActorsStoppedAsync(reason));
            }
            finally
            {
                _shutdownDone.SetResult();
            }
        }

        await _shutdownDone.Task;
    }

    private async Task RunStep(IActorSystemLifecycle extension, Func<Task> step)
    {
        try
        {
            // Apart: one that blocks its thread must not block the shutdown.
            var done = Config.Runtime.Run(() =>
            {
                s_inStepOf.Value = this;
                return step();
            });
            await done.OnThisContext().WaitAsync(extension.ShutdownTimeout, Config.TimeProvider);
        }
        catch (Exception reason)
        {
            LogStepFailed(_logger, Address, extension.GetType().Name, reason);
        }
    }

    private async Task StopRootActors()
    {
        var roots = ProcessRegistry.Processes
            .Where(process => process.Context is { HasParentActor: false })
            .Select(process => process.Context!.Self)
            .ToList();
        var counter = new TerminationCounter(this, roots.Count);
        foreach (var pid in roots) StopRootActor(pid, counter);
        try
        {
            await counter.Done.OnThisContext().WaitAsync(Config.ActorRequestTimeout, Config.TimeProvider);
        }
        catch (TimeoutException)
        {
            counter.Finish();
            var left = roots.Where(pid => pid.Ref(this) is not DeadLetterProcess).Select(pid => pid.ToDiagnosticString()).ToList();
            LogNotStopped(_logger, Address, left.Count, Config.ActorRequestTimeout, string.Join(", ", left.Take(10)));
        }
    }

    private void StopRootActor(PID pid, TerminationCounter counter)
    {
        try
        {
            counter.StopAndCount(pid);
        }
        catch (Exception reason)
        {
            // Its dispatcher or its process takes no more; the others are stopped all the same.
            LogNotReached(_logger, Address, pid.ToDiagnosticString(), reason);
        }
    }

    private void CancelShutdownToken()
    {
        try
        {
            _shutdown.Cancel();
        }
        catch (AggregateException reason)
        {
            // Callbacks of others; the shutdown goes on.
            LogCallbackFailed(_logger, Address, reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "[{Address}] Callbacks of the shutdown token failed")]
    private static partial void LogCallbackFailed(ILogger logger, string address, Exception reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "[{Address}] {Pid} could not be told to stop")]
    private static partial void LogNotReached(ILogger logger, string address, string pid, Exception reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "[{Address}] {Extension} failed to stop, or not within its time; the shutdown goes on")]
    private static partial void LogStepFailed(ILogger logger, string address, string extension, Exception reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "[{Address}] Actor system shuts down: {Reason}")]
    private static partial void LogShutdown(ILogger logger, string address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "[{Address}] {Count} actors did not stop within {Timeout}, among them {Pids}")]
    private static partial void LogNotStopped(ILogger logger, string address, int count, TimeSpan timeout, string pids);
}
