using System.Net.Sockets;
using ActorCluster.Raft.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Console;

namespace ActorCluster.Node.Startup;

/// <summary>The life of the process: settings, node, exit code.</summary>
public static class NodeProcess
{
    public static async Task<int> RunAsync(string[] args, Func<string, string?> environment, TextWriter output, TextWriter errors)
    {
        var command = new NodeCommand();
        var parsed = command.Root.Parse(args);
        if (parsed.Action is not null && parsed.Errors.Count == 0)
            return await parsed.InvokeAsync(new() { Output = output, Error = errors }); // --help, --version

        var settings = NodeSettings.Read(command, parsed, environment);
        if (settings.Problems.Count > 0)
        {
            await errors.WriteLineAsync($"This node cannot start: {settings.Problems.Count} setting(s) missing or wrong.");
            foreach (var problem in settings.Problems) await errors.WriteLineAsync("  " + problem);
            await errors.WriteLineAsync("See --help for all settings.");
            return ExitCode.WrongSettings;
        }

        using var host = Build(settings);
        Proto.Log.SetLoggerFactory(host.Services.GetRequiredService<ILoggerFactory>());
        var node = host.Services.GetRequiredService<ClusterNode>();
        try
        {
            await host.RunAsync(); // until SIGTERM, SIGINT, or the node's failure
        }
        catch (Exception e)
        {
            return await FailAsync(errors, settings.Options, e);
        }

        return node.Failed.IsFaulted ? await FailAsync(errors, settings.Options, node.Failed.Exception!.GetBaseException()) : ExitCode.Ok;
    }

    static IHost Build(NodeSettings settings)
    {
        var options = settings.Options;
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "ActorCluster.Node" });
        builder.Configuration.AddConfiguration(settings.Configuration);
        builder.Logging.AddConfiguration(settings.Configuration.GetSection("Logging"));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Proto", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // said once, by FailAsync
        builder.Logging.AddConsole(console => console.FormatterName = ShortConsoleFormatter.FormatterName);
        builder.Logging.AddConsoleFormatter<ShortConsoleFormatter, ConsoleFormatterOptions>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.ShutdownTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(options);
        builder.Services.AddActorCluster(options.CopyTo);
        builder.Services.AddHostedService<HttpService>();
        return builder.Build();
    }

    static async Task<int> FailAsync(TextWriter errors, ActorClusterOptions options, Exception reason)
    {
        if (!IsStorage(reason))
        {
            await errors.WriteLineAsync($"{options.Name} failed: {reason.Message}");
            return ExitCode.Failed;
        }

        await errors.WriteLineAsync($"{options.Name} stops, because storage failed (data directory {Path.GetFullPath(options.DataDirectory)}): {reason.Message}");
        return ExitCode.StorageFailed;
    }

    // Another process in the directory, or a port that is taken, is nothing that the disk did.
    static bool IsStorage(Exception reason) => reason switch
    {
        FileLockedException => false,
        IOException { InnerException: AddressInUseException or SocketException } => false,
        _ => reason is IOException or UnauthorizedAccessException or InvalidDataException,
    };
}
