using System.CommandLine;
using ActorCluster.Cli.Rendering;
using ActorCluster.Client;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using Google.Protobuf;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ActorCluster.Cli;

/// <summary>
/// The command line of a cluster. Exit codes: 0 done, 1 it failed (stderr says what and why), 2 the command line is wrong.
/// </summary>
public sealed class ActorCtl
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    const string DefaultSeed = "127.0.0.1:4050";
    const string SeedsVariable = "ACTORCLUSTER_SEEDS";

    readonly TextWriter _output;
    readonly TextWriter _errors;
    readonly IAnsiConsole _console;
    readonly Func<string, string?> _environment;
    readonly Option<string?> _seeds = new("--seeds", "-s") { Description = $"cluster addresses of nodes, host:port,... (default: {SeedsVariable}, else {DefaultSeed})", HelpName = "A,B,C", Recursive = true };
    readonly Option<string?> _node = new("--node", "-n") { Description = "ask this node alone", HelpName = "HOST:PORT", Recursive = true };
    readonly Option<bool> _json = new("--json", "-j") { Description = "JSON instead of tables", Recursive = true };
    readonly Option<double> _timeout = new("--timeout", "-t") { Description = "deadline in seconds", HelpName = "SECONDS", Recursive = true, DefaultValueFactory = _ => 10 };
    readonly Argument<string> _kind = new("kind") { Description = "kind of the grain, e.g. counter" };
    readonly Argument<string> _identity = new("identity") { Description = "identity of the grain" };
    readonly Argument<string> _key = new("key") { Description = "key, up to 1 KiB of UTF-8" };
    readonly Argument<string> _value = new("value") { Description = "value, as text; - reads standard input" };

    public ActorCtl(TextWriter output, TextWriter errors, IAnsiConsole console, Func<string, string?> environment)
    {
        _output = output;
        _errors = errors;
        _console = console;
        _environment = environment;
        Root = new RootCommand("Looks into an ActorCluster and reads and writes its keys. Exit codes: 0 done, 1 failed, 2 wrong usage.")
        {
            Command("members", "members with state, incarnation and evidence", MembersAsync),
            Command("groups", "Raft groups of a node: role, term, leader, log", GroupsAsync),
            Command("partitions", "partition map with leaders", PartitionsAsync),
            Command("where", "where a grain lives", WhereAsync, _kind, _identity),
            Command("watch", "membership changes as they happen, until Ctrl+C", WatchAsync),
            new Command("kv", "keys and values")
            {
                Command("get", "reads a value", GetAsync, _key),
                Command("set", "writes a value", SetAsync, _key, _value),
                Command("delete", "removes a key", DeleteAsync, _key),
            },
            new RaftCommands(output, errors, console, _json, TimeProvider.System).Root,
        };
        foreach (var option in new Option[] { _seeds, _node, _json, _timeout }) Root.Options.Add(option);
        _timeout.Validators.Add(result =>
        {
            // By its text: a value that is no number at all is named by the parser already.
            if (result.Tokens is [var token] && double.TryParse(token.Value, System.Globalization.CultureInfo.InvariantCulture, out var seconds) && seconds is not (> 0 and <= 3600))
                result.AddError("--timeout must be above 0 and at most 3600 seconds");
        });
    }

    public RootCommand Root { get; }

    public async Task<int> RunAsync(string[] args, CancellationToken ct)
    {
        var parsed = Root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await _errors.WriteLineAsync(error.Message);
            await _errors.WriteLineAsync("See actorctl --help.");
            return WrongUsage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = _output, Error = _errors, EnableDefaultExceptionHandler = false }, ct);
        }
        catch (ClusterRequestException e)
        {
            var outcome = e is OutcomeUnknownException ? "it may have happened" : "it did not happen";
            await _errors.WriteLineAsync($"{e.Code} ({outcome}): {e.Message}");
            return Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return Done; // Ctrl+C is how a watch ends
        }
    }

    /// <summary>Whom to talk to, in this order: --node, --seeds, the variable, the default.</summary>
    public IReadOnlyList<string> SeedsOf(ParseResult parsed)
    {
        var text = parsed.GetValue(_node) ?? parsed.GetValue(_seeds) ?? (_environment(SeedsVariable) is { Length: > 0 } given ? given : DefaultSeed);
        return text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    async Task<int> MembersAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct) => Show(parsed, await client.Admin.MembersAsync(ct), Tables.Of);

    async Task<int> GroupsAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct) => Show(parsed, await client.Admin.GroupsAsync(parsed.GetValue(_node), ct), Tables.Of);

    async Task<int> PartitionsAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct) => Show(parsed, await client.Admin.PartitionsAsync(ct), Tables.Of);

    async Task<int> WhereAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct)
    {
        var asked = new Where { Kind = parsed.GetRequiredValue(_kind), Identity = parsed.GetRequiredValue(_identity) };
        var reply = await client.Admin.WhereAsync(asked.Kind, asked.Identity, ct);
        if (reply.Located?.Failure is { Code: not ErrorCode.None } failure)
        {
            await _errors.WriteLineAsync($"{failure.Code}: {failure.Message}");
            return Failed;
        }

        return Show(parsed, reply, r => Tables.Of(asked, r));
    }

    async Task<int> WatchAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct)
    {
        await foreach (var change in client.Admin.WatchAsync(ct: ct))
        {
            await _output.WriteLineAsync(parsed.GetValue(_json) ? ProtobufJson.ToText(change) : Tables.LineOf(change, TimeZoneInfo.Local));
            await _output.FlushAsync(ct);
        }

        return Done;
    }

    async Task<int> GetAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct)
    {
        var key = parsed.GetRequiredValue(_key);
        if (await client.Kv.GetAsync(key, ct) is not { } value)
        {
            await _errors.WriteLineAsync($"no key \"{key}\"");
            return Failed;
        }

        await _output.WriteLineAsync(System.Text.Encoding.UTF8.GetString(value.Bytes.Span));
        return Done;
    }

    async Task<int> SetAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct)
    {
        var text = parsed.GetRequiredValue(_value);
        if (text == "-") text = await Console.In.ReadToEndAsync(ct);
        var written = await client.Kv.PutAsync(parsed.GetRequiredValue(_key), System.Text.Encoding.UTF8.GetBytes(text), ct);
        await _output.WriteLineAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"partition {written.Partition}, version {written.Version}"));
        return Done;
    }

    async Task<int> DeleteAsync(ActorClusterClient client, ParseResult parsed, CancellationToken ct)
    {
        var written = await client.Kv.DeleteAsync(parsed.GetRequiredValue(_key), ct);
        await _output.WriteLineAsync(written.Existed ? "deleted" : "there was none");
        return Done;
    }

    int Show<T>(ParseResult parsed, T reply, Func<T, IRenderable> table) where T : IMessage
    {
        if (parsed.GetValue(_json)) _output.WriteLine(ProtobufJson.ToText(reply, indented: true));
        else _console.Write(table(reply));
        return Done;
    }

    Command Command(string name, string description, Func<ActorClusterClient, ParseResult, CancellationToken, Task<int>> run, params Argument[] arguments)
    {
        var command = new Command(name, description);
        foreach (var argument in arguments) command.Arguments.Add(argument);
        command.SetAction(async (parsed, ct) =>
        {
            var timeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout));
            var options = new ActorClusterClientOptions { RequestTimeout = timeout, Label = "actorctl" };
            await using var client = await ActorClusterClient.ConnectAsync(SeedsOf(parsed), options, ct);
            return await run(client, parsed, ct);
        });
        return command;
    }
}
