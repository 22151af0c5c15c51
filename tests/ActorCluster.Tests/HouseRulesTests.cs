using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ActorCluster.Tests;

/// <summary>Rules of the house that no compiler checks: which way the arrows run, and where time and chance come from.</summary>
public partial class HouseRulesTests
{
    static readonly string Root = FindRoot();

    /// <summary>Architecture, section 4: what a project may reference directly. Transitive arrows follow from these.</summary>
    static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["Proto.Actor"] = [],
        ["Proto.OpenTelemetry"] = ["Proto.Actor"],
        ["Grpc.Core.Api"] = [],
        ["Grpc.Net.Client"] = ["Grpc.Core.Api"],
        ["Proto.Remote"] = ["Proto.Actor", "Grpc.Net.Client", "Grpc.Core.Api"],
        ["Proto.Cluster"] = ["Proto.Remote", "Proto.Actor"],
        ["Proto.Cluster.TestProvider"] = ["Proto.Cluster", "Proto.Remote", "Proto.Actor"],
        ["Proto.Deterministic"] = ["Proto.Cluster", "Proto.Remote", "Proto.Actor"],
        ["ActorCluster.Protocol"] = [],
        ["ActorCluster.Raft"] = ["ActorCluster.Protocol", "Proto.Actor", "Proto.Remote"],
        ["ActorCluster.Membership"] = ["ActorCluster.Raft", "ActorCluster.Protocol", "Proto.Actor", "Proto.Remote", "Proto.Cluster"],
        ["ActorCluster.Keyspace"] =
            ["ActorCluster.Membership", "ActorCluster.Raft", "ActorCluster.Protocol", "Proto.Actor", "Proto.Remote", "Proto.Cluster"],
        ["ActorCluster.Grains"] =
            ["ActorCluster.Keyspace", "ActorCluster.Membership", "ActorCluster.Raft", "ActorCluster.Protocol", "Proto.Actor", "Proto.Remote", "Proto.Cluster"],
        ["ActorCluster.Client"] = ["ActorCluster.Protocol", "Proto.Actor", "Proto.Remote", "Proto.Cluster"],
        // Membership, and Raft through it, for the commands on a data directory only (actorctl raft).
        ["ActorCluster.Cli"] = ["ActorCluster.Client", "ActorCluster.Membership", "ActorCluster.Protocol", "Proto.Actor", "Proto.Remote", "Proto.Cluster"],
    };

    [Fact]
    public void Arrows_between_projects_run_one_way()
    {
        var wrong = new List<string>();
        foreach (var (project, allowed) in Arrows)
        {
            var file = XDocument.Load(Path.Combine(Root, "src", project, project + ".csproj"));
            var references = file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value))
                .Concat(file.Descendants("ProtoReference").Select(r => r.Attribute("Include")!.Value));
            wrong.AddRange(references.Where(r => !allowed.Contains(r, StringComparer.Ordinal)).Select(r => $"{project} -> {r}"));
        }

        Assert.Empty(wrong);
    }

    /// <summary>The banned-API analyzer guards the pure folders; this guards their shells, which simulation runs too.</summary>
    [Fact]
    public void Shells_take_time_and_chance_from_outside()
    {
        string[] concepts = ["ActorCluster.Raft", "ActorCluster.Membership", "ActorCluster.Keyspace", "ActorCluster.Grains"];
        var wrong = concepts
            .SelectMany(c => Directory.EnumerateFiles(Path.Combine(Root, "src", c), "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => File.ReadLines(f).Select((line, i) => (File: f, Line: line, Number: i + 1)))
            .Where(l => !l.Line.TrimStart().StartsWith("//", StringComparison.Ordinal) && HiddenTimeOrChance().IsMatch(l.Line))
            .Select(l => $"{Path.GetRelativePath(Root, l.File)}:{l.Number}: {l.Line.Trim()}");

        Assert.Empty(wrong);
    }

    [GeneratedRegex(@"\b(DateTime(Offset)?\.(Utc)?Now|Thread\.Sleep|Random\.Shared|new Random\(|Guid\.NewGuid|Stopwatch\.|Environment\.TickCount|HashCode\.Combine)|\bTask\.Delay\([^,()]+\)")]
    private static partial Regex HiddenTimeOrChance();

    static string FindRoot([CallerFilePath] string here = "")
    {
        for (var dir = new DirectoryInfo(AppContext.BaseDirectory); dir is not null; dir = dir.Parent)
            if (File.Exists(Path.Combine(dir.FullName, "ActorCluster.sln")))
                return dir.FullName;
        throw new InvalidOperationException($"ActorCluster.sln not found above {AppContext.BaseDirectory} (built from {here})");
    }
}
