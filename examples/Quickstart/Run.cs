using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ActorCluster.Client;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Membership;
using Spectre.Console;

namespace Quickstart;

/// <summary>The story from start to end. Exit code 0 only when every count is exact and the killed node is Up again.</summary>
sealed class Run(Repository repository, FileInfo? file, bool keep)
{
    const int Nodes = 3;
    const int InFlight = 64;
    const string Kind = "counter";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly IAnsiConsole _console = OpenConsole();
    readonly ConcurrentQueue<MembershipChanged> _changes = new();
    int _done;

    public async Task<int> ExecuteAsync(CancellationToken ct)
    {
        var path = file?.FullName ?? repository.License;
        if (!File.Exists(path))
        {
            Say($"[red]There is no file {Markup.Escape(path)}.[/]");
            return 2;
        }

        var text = await File.ReadAllTextAsync(path, ct);
        var expected = Words.Count(text);
        if (expected.Count == 0)
        {
            Say($"[red]{Markup.Escape(path)} has no words.[/]");
            return 2;
        }

        var directory = Directory.CreateTempSubdirectory("actorcluster-quickstart-");
        var nodes = NodeProcess.Plan(repository.NodeDll, directory.FullName, Nodes);
        var succeeded = false;
        try
        {
            Say($"Starting {Nodes} nodes as separate processes; data and logs in {Markup.Escape(directory.FullName)}");
            foreach (var node in nodes) node.Start();
            await UntilHealthyAsync(nodes, ct);

            await using var client = await ActorClusterClient.ConnectAsync(nodes.Select(n => n.Address), new() { RequestTimeout = Patience }, ct);
            var members = await client.Admin.MembersAsync(ct);
            Say("[green]The cluster has formed.[/]");
            _console.Write(TableOf(members));

            using var watching = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var watch = WatchAsync(client, members, watching.Token);
            succeeded = await CountAsync(client, nodes, members, text, expected, Path.GetFileName(path), ct);
            await watching.CancelAsync();
            await watch;
            if (keep) SayHowToTalkToIt(nodes);
            return succeeded ? 0 : 1;
        }
        catch (Exception e) when (e is ClusterRequestException or InvalidOperationException or TimeoutException or HttpRequestException && !ct.IsCancellationRequested)
        {
            Say($"[red]{Markup.Escape(e.GetType().Name)}: {Markup.Escape(e.Message)}[/]");
            Say($"The logs are in {Markup.Escape(directory.FullName)}");
            return 1;
        }
        finally
        {
            if (!(keep && succeeded))
            {
                await Task.WhenAll(nodes.Select(n => n.StopAsync(TimeSpan.FromSeconds(15))));
                if (succeeded) directory.Delete(recursive: true);
            }
        }
    }

    async Task<bool> CountAsync(
        ActorClusterClient client, NodeProcess[] nodes, Members members, string text, Dictionary<string, long> expected, string name, CancellationToken ct)
    {
        // Many messages even for a small text, so that there is a middle to kill a node in; few enough per word for a large one.
        var words = expected.Values.Sum();
        var adds = Words.CountByChunk(text, (int)Math.Clamp(words / 40, 25, 20_000)).ToArray();
        Say(string.Create(CultureInfo.InvariantCulture, $"Counting {words:N0} words of {Markup.Escape(name)}, {expected.Count:N0} different ones, with {adds.Length:N0} messages to {Kind} grains, {InFlight} in flight"));

        var clock = Stopwatch.StartNew();
        var accident = KillAndRestartAsync(client, nodes, adds.Length, ct);
        await ShowProgressAsync(adds.Length, Parallel.ForEachAsync(adds, new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = ct }, async (add, stop) =>
        {
            await client.Grains.CallAsync<CounterValue>(Kind, add.Word, new CounterAdd { Amount = add.Amount }, stop);
            Interlocked.Increment(ref _done);
        }));
        Say(string.Create(CultureInfo.InvariantCulture, $"Counted in {clock.Elapsed.TotalSeconds:0.0} s ({adds.Length / clock.Elapsed.TotalSeconds:N0} acknowledged changes/s, the election included)"));

        var wrong = await CompareAsync(client, expected, ct);
        var killed = await accident;
        var back = await IsUpAgainAsync(client, killed, members, ct);
        Say(wrong == 0 ? $"[green]Every count is exact ({expected.Count} of {expected.Count}).[/]" : $"[red]{wrong} of {expected.Count} counts are wrong.[/]");
        Say(back ? $"[green]{killed.Name} is Up again.[/]" : $"[red]{killed.Name} did not come back.[/]");
        return wrong == 0 && back;
    }

    /// <summary>SIGKILLs the node that leads most partitions when half is counted; starts it again once the others have noticed.</summary>
    async Task<NodeProcess> KillAndRestartAsync(ActorClusterClient client, NodeProcess[] nodes, int total, CancellationToken ct)
    {
        while (Volatile.Read(ref _done) < total / 2) await Task.Delay(5, ct);
        var partitions = await client.Admin.PartitionsAsync(ct);
        var leader = partitions.Partitions_.GroupBy(p => p.LeaderName).OrderByDescending(g => g.Count()).First(g => g.Key.Length > 0);
        var node = nodes.Single(n => n.Name == leader.Key);
        var at = Volatile.Read(ref _done);
        await node.KillAsync();
        Say(string.Create(CultureInfo.InvariantCulture, $"[yellow]kill -9 {node.Name}[/], the leader of {leader.Count()} of {partitions.Partitions_.Count} partitions, after {at:N0} of {total:N0} messages"));

        var noticed = Stopwatch.StartNew();
        while (!_changes.Any(c => c.Name == node.Name && c.Current is MemberState.Unreachable or MemberState.Removed) && noticed.Elapsed < TimeSpan.FromSeconds(20)) await Task.Delay(20, ct);
        node.Start();
        Say($"[yellow]{node.Name} starts again[/]");
        return node;
    }

    async Task<int> CompareAsync(ActorClusterClient client, Dictionary<string, long> expected, CancellationToken ct)
    {
        var wrong = 0;
        await Parallel.ForEachAsync(expected, new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = ct }, async (word, stop) =>
        {
            var counted = await client.Grains.CallAsync<CounterValue>(Kind, word.Key, new CounterGet(), stop);
            if (counted.Value == word.Value) return;
            Interlocked.Increment(ref wrong);
            Say(string.Create(CultureInfo.InvariantCulture, $"[red]{Markup.Escape(word.Key)}: {counted.Value} instead of {word.Value}[/]"));
        });
        return wrong;
    }

    async Task<bool> IsUpAgainAsync(ActorClusterClient client, NodeProcess node, Members before, CancellationToken ct)
    {
        var then = before.Members_.Single(m => m.Name == node.Name);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Patience)
        {
            node.ThrowIfEnded();
            var now = (await client.Admin.MembersAsync(ct)).Members_.FirstOrDefault(m => m.Uid == then.Uid);
            if (now is { State: MemberState.Up } && now.Incarnation > then.Incarnation && await IsHealthyAsync(node, ct) is null) return true;
            await Task.Delay(100, ct);
        }

        return false;
    }

    async Task WatchAsync(ActorClusterClient client, Members since, CancellationToken ct)
    {
        try
        {
            await foreach (var change in client.Admin.WatchAsync(since, ct))
            {
                _changes.Enqueue(change);
                Say($"[blue]membership:[/] {change.Name} {change.Previous} -> {change.Current} (incarnation {change.Incarnation}) {Markup.Escape(change.Evidence)}");
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
    }

    async Task UntilHealthyAsync(NodeProcess[] nodes, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        foreach (var node in nodes)
        {
            while (await IsHealthyAsync(node, ct) is { } reason)
            {
                node.ThrowIfEnded();
                if (clock.Elapsed > Patience) throw new TimeoutException($"{node.Name} is not healthy after {Patience.TotalSeconds:0} s: {reason}");
                await Task.Delay(50, ct);
            }
        }
    }

    /// <summary>Null when it is; else why not.</summary>
    static async Task<string?> IsHealthyAsync(NodeProcess node, CancellationToken ct)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var response = await http.GetAsync(new Uri(node.Http, "/health"), ct);
            return response.IsSuccessStatusCode ? null : await response.Content.ReadAsStringAsync(ct);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            return e.Message;
        }
    }

    async Task ShowProgressAsync(int total, Task work)
    {
        if (_console.Profile.Capabilities.Interactive)
        {
            await _console.Progress().StartAsync(async context =>
            {
                var bar = context.AddTask("counting", maxValue: total);
                while (await Task.WhenAny(work, Task.Delay(50)) != work) bar.Value = Volatile.Read(ref _done);
                bar.Value = Volatile.Read(ref _done);
            });
        }
        else
        {
            var told = 0;
            while (await Task.WhenAny(work, Task.Delay(100)) != work)
            {
                var tenths = (int)(10L * Volatile.Read(ref _done) / total);
                if (tenths <= told) continue;
                Say(string.Create(CultureInfo.InvariantCulture, $"{10 * tenths} %"));
                told = tenths;
            }
        }

        await work;
    }

    void SayHowToTalkToIt(NodeProcess[] nodes)
    {
        var seeds = string.Join(',', nodes.Select(n => n.Address));
        var lines = new List<string>
        {
            "",
            "The cluster keeps running. Talk to it:",
            $"  curl -X PUT --data-binary hello {nodes[0].Http}v1/kv/greeting",
            $"  curl {nodes[1].Http}v1/kv/greeting",
            $"  curl {nodes[2].Http}health",
            $"  dotnet {repository.ActorCtlDll} members --seeds {seeds}",
            $"  dotnet {repository.ActorCtlDll} where counter license --seeds {seeds}",
            $"  dotnet {repository.ActorCtlDll} watch --seeds {seeds}",
            $"Kill a node and watch:  kill -9 {nodes[0].Id}",
            $"Stop it all:  kill {string.Join(' ', nodes.Select(n => n.Id))}",
        };
        foreach (var line in lines) _console.WriteLine(line);
    }

    static Table TableOf(Members members)
    {
        var table = new Table { Border = TableBorder.Minimal };
        foreach (var column in new[] { "Name", "State", "Address", "HTTP", "Uid", "Incarnation", "Leads" }) table.AddColumn(column);
        foreach (var m in members.Members_.OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            table.AddRow(
                Markup.Escape(m.Name), m.State.ToString(), Markup.Escape(m.Address), Markup.Escape(m.HttpAddress), new NodeUid(m.Uid).ToString(),
                m.Incarnation.ToString(CultureInfo.InvariantCulture), m.Leads.ToString(CultureInfo.InvariantCulture));
        }

        return table;
    }

    // In a pipe or a file: plain text, and lines as long as they are.
    static IAnsiConsole OpenConsole()
    {
        if (!Console.IsOutputRedirected) return AnsiConsole.Console;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No });
        console.Profile.Width = 240;
        return console;
    }

    void Say(string markup) => _console.MarkupLine(markup);
}
