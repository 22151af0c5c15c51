using Spectre.Console;

namespace ActorCluster.Cli.Tests;

public class ActorCtlTests
{
    [Theory]
    [InlineData("whatever")]
    [InlineData("where counter")]
    [InlineData("kv set key")]
    [InlineData("kv get a b")]
    [InlineData("members --timeout 0")]
    [InlineData("members --timeout soon")]
    [InlineData("members --colour")]
    public async Task A_wrong_command_line_says_so_and_exits_with_2(string args)
    {
        var (code, output, errors) = await RunAsync(args);
        Assert.Equal(ActorCtl.WrongUsage, code);
        Assert.Empty(output);
        Assert.Contains("See actorctl --help.", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_command()
    {
        var (code, output, _) = await RunAsync("--help");
        Assert.Equal(ActorCtl.Done, code);
        foreach (var command in new[] { "members", "groups", "partitions", "where", "watch", "kv", "raft" }) Assert.Contains(command, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_no_node_answers_it_names_each_one_and_exits_with_1()
    {
        // Port 9 (discard) of this machine: nobody listens there.
        var (code, output, errors) = await RunAsync("members --seeds 127.0.0.1:9 --timeout 1");
        Assert.Equal(ActorCtl.Failed, code);
        Assert.Empty(output);
        Assert.Contains("127.0.0.1:9", errors, StringComparison.Ordinal);
        Assert.Contains("it did not happen", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("members", null, "127.0.0.1:4050")]
    [InlineData("members", "a:1, b:2", "a:1|b:2")]
    [InlineData("members --seeds c:3,d:4", "a:1", "c:3|d:4")]
    [InlineData("--seeds c:3 members --node e:5", "a:1", "e:5")]
    public void Whom_to_ask_is_said_by_option_variable_or_default(string args, string? variable, string seeds)
    {
        var ctl = New(TextWriter.Null, TextWriter.Null, name => name == "ACTORCLUSTER_SEEDS" ? variable : null);
        Assert.Equal(seeds.Split('|'), ctl.SeedsOf(ctl.Root.Parse(args)));
    }

    static async Task<(int Code, string Output, string Errors)> RunAsync(string args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await New(output, errors, _ => null).RunAsync(args.Split(' '), CancellationToken.None);
        return (code, output.ToString(), errors.ToString());
    }

    static ActorCtl New(TextWriter output, TextWriter errors, Func<string, string?> environment) =>
        new(output, errors, AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No }), environment);
}
