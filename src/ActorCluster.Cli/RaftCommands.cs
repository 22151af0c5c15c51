using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ActorCluster.Cli.Rendering;
using ActorCluster.Membership.Storage;
using ActorCluster.Protocol;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Raft.Storage.Offline;
using Spectre.Console;

namespace ActorCluster.Cli;

/// <summary>Commands on the data directory of a node that does not run.</summary>
sealed class RaftCommands
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    readonly TextWriter _output;
    readonly TextWriter _errors;
    readonly IAnsiConsole _console;
    readonly Option<bool> _json;
    readonly TimeProvider _time;
    readonly Argument<string> _directory = new("directory") { Description = "data directory of the node" };
    readonly Option<string[]> _groups = new("--group", "-g") { Description = "group to recover: its number, or coordinator; may be given several times", HelpName = "GROUP" };
    readonly Option<bool> _all = new("--all-groups") { Description = "recover every group of the directory" };
    readonly Option<string> _by = new("--by") { Description = "who does this; kept in the log", HelpName = "NAME", Required = true };
    readonly Option<string> _reason = new("--reason") { Description = "why; kept in the log", HelpName = "TEXT", Required = true };
    readonly Option<bool> _sure = new("--the-others-are-lost-for-ever") { Description = "says that no other replica of these groups will ever be started again" };

    public RaftCommands(TextWriter output, TextWriter errors, IAnsiConsole console, Option<bool> json, TimeProvider time)
    {
        _output = output;
        _errors = errors;
        _console = console;
        _json = json;
        _time = time;
        var inspect = new Command("inspect", "segments, groups, terms, configurations, snapshots and damage; changes nothing") { _directory };
        inspect.SetAction(parsed => Reported(() => Inspect(parsed)));
        var recover = new Command("recover", "FORCED RECOVERY of groups that lost their majority: acknowledged writes may be lost") { _directory, _groups, _all, _by, _reason, _sure };
        recover.SetAction(parsed => Reported(() => Recover(parsed)));
        Root = new Command("raft", "the log of a node that does not run: look into it, recover groups that lost their majority") { inspect, recover };
    }

    public Command Root { get; }

    int Inspect(ParseResult parsed)
    {
        var directory = parsed.GetRequiredValue(_directory);
        var report = StorageInspector.Inspect(OsFileSystem.Instance, directory, IsInUse(directory));
        if (parsed.GetValue(_json))
        {
            _output.WriteLine(JsonSerializer.Serialize(report, Json));
            return ActorCtl.Done;
        }

        foreach (var table in StorageTables.Of(report)) _console.Write(table);
        return ActorCtl.Done;
    }

    int Recover(ParseResult parsed)
    {
        var groups = (parsed.GetValue(_groups) ?? []).Select(ParseGroup).ToList();
        if (groups.Count == 0 == !parsed.GetValue(_all)) throw new ArgumentException("say which groups: --group GROUP ..., or --all-groups");
        var directory = parsed.GetRequiredValue(_directory);
        if (!NodeIdentityStore.Exists(OsFileSystem.Instance, directory)) throw new ArgumentException($"'{directory}' is not the data directory of a node");
        if (!parsed.GetValue(_sure))
        {
            _errors.WriteLine(
                "Nothing was done. After a forced recovery this replica alone decides: what the others committed and it does not hold is lost, and if one of them is ever "
                + "started again, two histories exist. If no other replica of these groups will ever be started again, say so: --the-others-are-lost-for-ever");
            return ActorCtl.Failed;
        }

        using var identity = NodeIdentityStore.Open(OsFileSystem.Instance, directory, new Xoshiro256((ulong)_time.GetUtcNow().Ticks));
        var note = string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():u} by {parsed.GetRequiredValue(_by)}: {parsed.GetRequiredValue(_reason)}");
        foreach (var done in ForcedRecovery.Run(OsFileSystem.Instance, directory, identity.Uid, groups, note))
        {
            _output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"group {done.Group}: node {identity.Uid} alone votes from now on, in term {done.Term}; the group is what this log holds up to index {done.LastIndex}"));
            if (done.Suspicion is { } suspicion) _output.WriteLine($"group {done.Group}: ITS LOG WAS DAMAGED, acknowledged writes may be missing: {suspicion}");
        }

        _output.WriteLine("Never start another replica of these groups again: empty the directories of all other nodes.");
        return ActorCtl.Done;
    }

    static GroupId ParseGroup(string text)
    {
        if (text == "coordinator") return GroupId.Coordinator;
        return ulong.TryParse(text, CultureInfo.InvariantCulture, out var id) ? new GroupId(id) : throw new ArgumentException($"--group: '{text}' is neither a number nor coordinator");
    }

    /// <summary>A lock that cannot be had says that a node runs. Without the lock's file nobody ever ran there.</summary>
    static bool IsInUse(string directory)
    {
        if (!NodeIdentityStore.Exists(OsFileSystem.Instance, directory)) return false;
        try
        {
            NodeIdentityStore.Lock(OsFileSystem.Instance, directory).Dispose();
            return false;
        }
        catch (FileLockedException)
        {
            return true;
        }
    }

    int Reported(Func<int> run)
    {
        try
        {
            return run();
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            _errors.WriteLine(e.Message);
            return ActorCtl.Failed;
        }
    }
}
