using System.CommandLine;

namespace ActorCluster.Node.Startup;

/// <summary>The settings of this process, put together from the command line, the environment and a file, in this order.</summary>
public sealed class NodeSettings
{
    const string DefaultFile = "appsettings.json";

    NodeSettings(ActorClusterOptions options, IConfiguration configuration, IReadOnlyList<string> problems)
    {
        Options = options;
        Configuration = configuration;
        Problems = problems;
    }

    public ActorClusterOptions Options { get; }

    /// <summary>The file as a whole: logging reads its section.</summary>
    public IConfiguration Configuration { get; }

    /// <summary>Everything missing or wrong, each as a line for people; empty when the node may start.</summary>
    public IReadOnlyList<string> Problems { get; }

    public static NodeSettings Read(NodeCommand command, ParseResult parsed, Func<string, string?> environment)
    {
        var problems = new List<string>(parsed.Errors.Select(e => e.Message));
        var file = ReadFile(parsed.GetValue(command.ConfigFile), problems);
        var section = file.GetSection(ActorClusterOptions.Section);
        var options = ActorClusterSettings.Read(
            setting => command.Read(parsed, setting) ?? NotEmpty(environment(setting.Variable)) ?? FromFile(section, setting),
            out var wrong);
        problems.AddRange(wrong.Select(p => p.ToString()));
        foreach (var child in section.GetChildren())
        {
            if (!ActorClusterSettings.All.Any(s => s.Field.Equals(child.Key, StringComparison.OrdinalIgnoreCase)))
                problems.Add($"{child.Key} in section {ActorClusterOptions.Section} of the configuration file is no setting: known are {string.Join(", ", ActorClusterSettings.All.Select(s => s.Field))}");
        }

        if (options.Http is null && !wrong.Any(p => p.Field == nameof(options.Http)))
            problems.Add(new OptionProblem(nameof(options.Http), null, "host:port to serve HTTP at, e.g. 127.0.0.1:8080").ToString());
        return new NodeSettings(options, file, problems);
    }

    static IConfigurationRoot ReadFile(string? path, List<string> problems)
    {
        var builder = new ConfigurationBuilder();
        try
        {
            return builder.AddJsonFile(Path.GetFullPath(path ?? DefaultFile), optional: path is null, reloadOnChange: false).Build();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or UnauthorizedAccessException)
        {
            problems.Add($"the configuration file cannot be read: {e.Message}{(e.InnerException is { } inner ? " " + inner.Message : "")}");
            return new ConfigurationBuilder().Build();
        }
    }

    // A list may be written as text ("a,b") or as an array.
    static string? FromFile(IConfigurationSection section, ActorClusterSetting setting)
    {
        var value = section.GetSection(setting.Field);
        var items = value.GetChildren().Select(c => c.Value).OfType<string>().ToArray();
        return items.Length > 0 ? string.Join(',', items) : value.Value;
    }

    static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
