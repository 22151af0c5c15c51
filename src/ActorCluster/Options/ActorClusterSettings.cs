using System.Globalization;

namespace ActorCluster;

/// <summary>One setting: what it is called everywhere, what it means, and how its text is read.</summary>
/// <param name="Field">Name in <see cref="ActorClusterOptions"/> and in a configuration file's section.</param>
/// <param name="Option">Name on the command line.</param>
/// <param name="Placeholder">What stands for the value in help.</param>
/// <param name="Default">The default as text; empty when the setting must be given.</param>
/// <param name="Meaning">For people.</param>
/// <param name="Set">Reads the text into the options; false when it cannot be read.</param>
/// <param name="Shape">What the text must look like.</param>
public sealed record ActorClusterSetting(
    string Field,
    string Option,
    string Placeholder,
    string Default,
    string Meaning,
    Func<ActorClusterOptions, string, bool> Set,
    string Shape)
{
    /// <summary>Name of the environment variable.</summary>
    public string Variable { get; } = "ACTORCLUSTER_" + Option[2..].Replace('-', '_').ToUpperInvariant();
}

/// <summary>The one table of all settings: command line, environment, files, help and documentation read it.</summary>
public static class ActorClusterSettings
{
    const string Time = "a time such as 500ms, 30s, 5m, 1h";
    const string Whole = "a whole number";

    static readonly ActorClusterOptions Defaults = new();

    public static IReadOnlyList<ActorClusterSetting> All { get; } =
    [
        String("Name", "--name", "NAME", "", "name of this node, unique in the cluster", (o, v) => o.Name = v),
        String("Listen", "--listen", "HOST:PORT", "", "where other nodes and clients reach this node", (o, v) => o.Listen = v),
        String("Advertise", "--advertise", "HOST:PORT", "Listen", "what others call, when it differs from Listen", (o, v) => o.Advertise = v),
        String("Http", "--http", "HOST:PORT", "", "where the HTTP API listens", (o, v) => o.Http = v),
        String("Seeds", "--seeds", "A,B,C", "", "cluster addresses to find the cluster through", (o, v) => o.Seeds = SplitSeeds(v)),
        Integer("Expect", "--expect", "", "nodes that form the first cluster together, the same on each", (o, v) => o.Expect = v),
        String("DataDirectory", "--data", "DIR", "", "directory of this node's identity, log and snapshots", (o, v) => o.DataDirectory = v),
        Integer("Partitions", "--partitions", Text(Defaults.Partitions), "partitions of the key space, fixed when the cluster forms", (o, v) => o.Partitions = v),
        Integer("ReplicationFactor", "--replication-factor", Text(Defaults.ReplicationFactor), "replicas of a partition", (o, v) => o.ReplicationFactor = v),
        Integer("SnapshotEntries", "--snapshot-entries", Text(Defaults.SnapshotEntries), "applied entries between snapshots of a group", (o, v) => o.SnapshotEntries = v),
        Duration("PlacementInterval", "--placement-interval", Defaults.PlacementInterval, "how often the coordinator looks whether partitions need other replicas", (o, v) => o.PlacementInterval = v),
        Duration("GracePeriod", "--grace-period", Defaults.GracePeriod, "time from Unreachable to Removed", (o, v) => o.GracePeriod = v),
        Duration("Tick", "--tick", Defaults.Tick, "unit of Raft's timers", (o, v) => o.Tick = v),
        Integer("HeartbeatTicks", "--heartbeat-ticks", Text(Defaults.HeartbeatTicks), "ticks between a leader's heartbeats", (o, v) => o.HeartbeatTicks = v),
        Integer("ElectionTicksMin", "--election-ticks-min", Text(Defaults.ElectionTicksMin), "shortest election timeout in ticks; the longest is twice that", (o, v) => o.ElectionTicksMin = v),
        Duration("ProbeInterval", "--probe-interval", Defaults.ProbeInterval, "time between probes of a node", (o, v) => o.ProbeInterval = v),
        Integer("ProbeMisses", "--probe-misses", Text(Defaults.ProbeMisses), "probes missed in a row that make a node Unreachable", (o, v) => o.ProbeMisses = v),
        Duration("GossipInterval", "--gossip-interval", Defaults.GossipInterval, "time between gossip rounds", (o, v) => o.GossipInterval = v),
        Duration("RequestTimeout", "--request-timeout", Defaults.RequestTimeout, "deadline of a request that brings none", (o, v) => o.RequestTimeout = v),
        Duration("GrainIdle", "--grain-idle", Defaults.GrainIdle, "idle time after which a grain is unloaded", (o, v) => o.GrainIdle = v),
        Duration("ShutdownTimeout", "--shutdown-timeout", Defaults.ShutdownTimeout, "longest clean shutdown", (o, v) => o.ShutdownTimeout = v),
    ];

    public static ActorClusterSetting? Find(string field) => All.FirstOrDefault(s => s.Field == field);

    /// <summary>
    /// Reads all settings. What cannot be read and what is not allowed comes back together, so that one start names
    /// everything; a field whose text cannot be read is not reported a second time.
    /// </summary>
    /// <param name="read">The text of a setting, or null when nobody gave it.</param>
    /// <param name="problems">Everything missing or wrong.</param>
    public static ActorClusterOptions Read(Func<ActorClusterSetting, string?> read, out IReadOnlyList<OptionProblem> problems)
    {
        var options = new ActorClusterOptions();
        var found = new List<OptionProblem>();
        foreach (var setting in All)
        {
            if (read(setting) is not { } text) continue;
            if (!setting.Set(options, text.Trim())) found.Add(new(setting.Field, text, setting.Shape));
        }

        var unreadable = found.Select(p => p.Field).ToHashSet(StringComparer.Ordinal);
        found.AddRange(ActorClusterOptionsValidator.Check(options).Where(p => !unreadable.Contains(p.Field)));
        problems = [.. found.OrderBy(p => Position(p.Field))];
        return options;
    }

    /// <summary>Reads "500ms", "30s", "5m", "1h".</summary>
    public static bool TryTime(string text, out TimeSpan time)
    {
        time = default;
        var digits = text.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyz");
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
        TimeSpan? unit = text[digits.Length..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => null,
        };
        if (unit is null) return false;
        time = unit.Value * count;
        return true;
    }

    /// <summary>The shortest text that <see cref="TryTime"/> reads back.</summary>
    public static string Text(TimeSpan time)
    {
        var ms = (long)time.TotalMilliseconds;
        var (count, unit) = ms switch
        {
            0 => (0, "s"),
            _ when ms % 3_600_000 == 0 => (ms / 3_600_000, "h"),
            _ when ms % 60_000 == 0 => (ms / 60_000, "m"),
            _ when ms % 1000 == 0 => (ms / 1000, "s"),
            _ => (ms, "ms"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{count}{unit}");
    }

    static int Position(string field)
    {
        for (var i = 0; i < All.Count; i++)
        {
            if (All[i].Field == field) return i;
        }

        return All.Count;
    }

    static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    static string[] SplitSeeds(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    static ActorClusterSetting String(string field, string option, string placeholder, string byDefault, string meaning, Action<ActorClusterOptions, string> set) =>
        new(field, option, placeholder, byDefault, meaning, (o, text) => { set(o, text); return true; }, "text");

    static ActorClusterSetting Integer(string field, string option, string byDefault, string meaning, Action<ActorClusterOptions, int> set) =>
        new(field, option, "N", byDefault, meaning, (o, text) =>
        {
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return false;
            set(o, value);
            return true;
        }, Whole);

    static ActorClusterSetting Duration(string field, string option, TimeSpan byDefault, string meaning, Action<ActorClusterOptions, TimeSpan> set) =>
        new(field, option, "TIME", Text(byDefault), meaning, (o, text) =>
        {
            if (!TryTime(text, out var value)) return false;
            set(o, value);
            return true;
        }, Time);
}
