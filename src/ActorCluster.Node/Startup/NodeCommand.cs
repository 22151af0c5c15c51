using System.CommandLine;

namespace ActorCluster.Node.Startup;

/// <summary>The command line: an option for each setting of <see cref="ActorClusterSettings"/>, all optional here because
/// files and variables may give them too.</summary>
public sealed class NodeCommand
{
    readonly Dictionary<string, Option<string?>> _options = new(StringComparer.Ordinal);

    public NodeCommand()
    {
        Root = new RootCommand(
            "A node of an ActorCluster.\n\n"
            + "Every setting may also be given as an environment variable (ACTORCLUSTER_NAME, ACTORCLUSTER_SNAPSHOT_ENTRIES, ...)\n"
            + "or in the section \"ActorCluster\" of appsettings.json. The command line comes first, then variables, then the file.\n"
            + "Exit codes: 0 stopped cleanly, 1 failed, 2 settings missing or wrong (all are named), 3 storage failed.");
        foreach (var setting in ActorClusterSettings.All)
        {
            var option = new Option<string?>(setting.Option) { Description = Describe(setting), HelpName = setting.Placeholder };
            _options.Add(setting.Field, option);
            Root.Options.Add(option);
        }

        ConfigFile = new Option<string?>("--config") { Description = "configuration file (default: appsettings.json, if there is one)", HelpName = "FILE" };
        Root.Options.Add(ConfigFile);
    }

    public RootCommand Root { get; }

    public Option<string?> ConfigFile { get; }

    /// <summary>What the command line says of a setting; null when it says nothing.</summary>
    public string? Read(ParseResult parsed, ActorClusterSetting setting) => parsed.GetValue(_options[setting.Field]);

    static string Describe(ActorClusterSetting setting) =>
        setting.Default.Length == 0 ? setting.Meaning : $"{setting.Meaning} (default: {setting.Default})";
}
