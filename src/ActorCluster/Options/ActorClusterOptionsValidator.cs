using System.Globalization;
using Microsoft.Extensions.Options;

namespace ActorCluster;

/// <summary>Finds everything that is missing or wrong in the settings at once, so that nobody mends them one start at a time.</summary>
public sealed class ActorClusterOptionsValidator : IValidateOptions<ActorClusterOptions>
{
    public const int MaxNameLength = 64;
    public const int MaxSeeds = 64;
    public const int MaxExpect = 256;
    public const int MaxPartitions = 1024;
    public const int MaxReplicationFactor = 7;

    static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, ActorClusterOptions options)
    {
        var problems = Check(options);
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems.Select(p => p.ToString()));
    }

    /// <exception cref="ActorClusterOptionsException">Something is missing or wrong; it names all of it.</exception>
    public static void ThrowIfWrong(ActorClusterOptions options)
    {
        var problems = Check(options);
        if (problems.Count > 0) throw new ActorClusterOptionsException(problems);
    }

    /// <summary>All problems, in the order of the settings; empty when the node may start.</summary>
    public static IReadOnlyList<OptionProblem> Check(ActorClusterOptions options)
    {
        var problems = new List<OptionProblem>();
        CheckPlaces(options, problems);
        Number(problems, nameof(options.Expect), options.Expect, 1, MaxExpect, "the number of nodes that form the first cluster, the same on each, ");
        CheckDirectory(options, problems);
        Number(problems, nameof(options.Partitions), options.Partitions, 1, MaxPartitions);
        Number(problems, nameof(options.ReplicationFactor), options.ReplicationFactor, 1, MaxReplicationFactor);
        Number(problems, nameof(options.SnapshotEntries), options.SnapshotEntries, 1, 10_000_000);
        Time(problems, nameof(options.GracePeriod), options.GracePeriod, TimeSpan.FromSeconds(1));
        Time(problems, nameof(options.PlacementInterval), options.PlacementInterval, TimeSpan.FromMilliseconds(10));
        Time(problems, nameof(options.Tick), options.Tick, TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(1));
        Number(problems, nameof(options.HeartbeatTicks), options.HeartbeatTicks, 1, 100);
        CheckElection(options, problems);
        Time(problems, nameof(options.ProbeInterval), options.ProbeInterval, TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1));
        Number(problems, nameof(options.ProbeMisses), options.ProbeMisses, 1, 100);
        Time(problems, nameof(options.GossipInterval), options.GossipInterval, TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1));
        Time(problems, nameof(options.RequestTimeout), options.RequestTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10));
        Time(problems, nameof(options.GrainIdle), options.GrainIdle, TimeSpan.FromSeconds(1));
        Time(problems, nameof(options.ShutdownTimeout), options.ShutdownTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10));
        return problems;
    }

    static void CheckPlaces(ActorClusterOptions options, List<OptionProblem> problems)
    {
        if (!IsName(options.Name))
        {
            var allowed = string.Create(CultureInfo.InvariantCulture, $"a name unique in the cluster, 1 to {MaxNameLength} of A-Z a-z 0-9 . _ -");
            problems.Add(new(nameof(options.Name), options.Name, allowed));
        }

        var listens = HostPort.TryParse(options.Listen, out var listen);
        if (!listens) problems.Add(new(nameof(options.Listen), options.Listen, "host:port to serve the cluster at, e.g. 127.0.0.1:4050"));

        if (!string.IsNullOrEmpty(options.Advertise))
        {
            if (!HostPort.TryParse(options.Advertise, out var advertise) || advertise.IsAnyAddress || advertise.Port == 0)
                problems.Add(new(nameof(options.Advertise), options.Advertise, "host:port that the other nodes can call"));
        }
        else if (listens && listen.IsAnyAddress)
        {
            problems.Add(new(nameof(options.Advertise), null, $"host:port that the other nodes can call, because they cannot call Listen = {options.Listen}"));
        }

        if (!string.IsNullOrEmpty(options.Http))
        {
            var serves = HostPort.TryParse(options.Http, out var http);
            if (!serves || (listens && http.Port != 0 && http == listen))
                problems.Add(new(nameof(options.Http), options.Http, "host:port to serve HTTP at, e.g. 127.0.0.1:8080, another port than Listen"));
        }

        CheckSeeds(options, problems);
    }

    static void CheckSeeds(ActorClusterOptions options, List<OptionProblem> problems)
    {
        if (options.Seeds.Count is 0 or > MaxSeeds)
        {
            var allowed = string.Create(CultureInfo.InvariantCulture, $"1 to {MaxSeeds} host:port of nodes to find the cluster through, separated by commas");
            problems.Add(new(nameof(options.Seeds), options.Seeds.Count == 0 ? null : $"{options.Seeds.Count} seeds", allowed));
            return;
        }

        var known = new HashSet<HostPort>();
        foreach (var text in options.Seeds)
        {
            if (!HostPort.TryParse(text, out var seed) || seed.Port == 0 || seed.IsAnyAddress)
                problems.Add(new(nameof(options.Seeds), text.Length == 0 ? "(empty)" : text, "host:port of another node's Listen for each seed"));
            else if (!known.Add(seed))
                problems.Add(new(nameof(options.Seeds), text, "each seed once"));
        }
    }

    static void CheckDirectory(ActorClusterOptions options, List<OptionProblem> problems)
    {
        const string Allowed = "a directory of this node alone, which this process can write";
        if (string.IsNullOrWhiteSpace(options.DataDirectory) || options.DataDirectory.Contains('\0'))
            problems.Add(new(nameof(options.DataDirectory), options.DataDirectory.Length == 0 ? null : "(blank)", Allowed));
        else if (File.Exists(options.DataDirectory))
            problems.Add(new(nameof(options.DataDirectory), options.DataDirectory, Allowed + " (this is a file)"));
    }

    static void CheckElection(ActorClusterOptions options, List<OptionProblem> problems)
    {
        // Raft paper, section 5.6: broadcast time << election timeout. Three heartbeats may be lost before anybody stands.
        var least = Math.Max(2, 3 * options.HeartbeatTicks);
        if (options.ElectionTicksMin < least || options.ElectionTicksMin > 1000)
        {
            var allowed = string.Create(CultureInfo.InvariantCulture, $"at least 3 times HeartbeatTicks ({least}) and at most 1000");
            problems.Add(new(nameof(options.ElectionTicksMin), Text(options.ElectionTicksMin), allowed));
        }
    }

    static void Number(List<OptionProblem> problems, string field, int value, int least, int most, string meaning = "")
    {
        if (value >= least && value <= most) return;
        var given = field == nameof(ActorClusterOptions.Expect) && value == 0 ? null : Text(value);
        problems.Add(new(field, given, string.Create(CultureInfo.InvariantCulture, $"{meaning}{least} to {most}")));
    }

    static void Time(List<OptionProblem> problems, string field, TimeSpan value, TimeSpan least, TimeSpan? most = null)
    {
        var longest = most ?? LongestTime;
        if (value < least || value > longest)
            problems.Add(new(field, ActorClusterSettings.Text(value), $"a time from {ActorClusterSettings.Text(least)} to {ActorClusterSettings.Text(longest)}"));
    }

    static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    static bool IsName(string name)
    {
        if (name.Length is 0 or > MaxNameLength) return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')) return false;
        }

        return true;
    }
}
