using ActorCluster.Cli.Rendering;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Membership;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ActorCluster.Cli.Tests;

public class TablesTests
{
    [Fact]
    public void Members_show_state_evidence_and_who_votes()
    {
        var text = Render(Tables.Of(new Members
        {
            Formed = true,
            ClusterId = "c1",
            View = 9,
            AnsweredBy = "n1",
            Members_ =
            {
                new Member { Uid = 0xab, Name = "n2", Address = "h:2", State = MemberState.Unreachable, Evidence = "[n1] missed 3 probes", Incarnation = 4 },
                new Member { Uid = 0xcd, Name = "n1", Address = "h:1", State = MemberState.Up, CoordinatorVoter = true, Leads = 6 },
            },
        }));

        Assert.True(text.IndexOf("n1 *", StringComparison.Ordinal) < text.IndexOf("n2", StringComparison.Ordinal));
        foreach (var part in new[] { "Unreachable", "[n1] missed 3 probes", "00000000000000ab", "cluster c1, view 9, told by n1" }) Assert.Contains(part, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forming_cluster_says_whom_it_waits_for() =>
        Assert.Contains("forming, waiting for h:3; told by n1", Render(Tables.Of(new Members { AnsweredBy = "n1", WaitingFor = { "h:3" } })), StringComparison.Ordinal);

    [Fact]
    public void Groups_partitions_and_places_are_tables()
    {
        var groups = Render(Tables.Of(new Groups { Groups_ = { new Group { Name = "partition 3", Role = "Leader", Term = 5, LeaderName = "n1", LogBytes = 2048, SnapshotIndex = 70, SnapshotBytes = 10 } } }));
        foreach (var part in new[] { "partition 3", "Leader", "2.0 KiB", "70 (10 B)" }) Assert.Contains(part, groups, StringComparison.Ordinal);

        var partitions = Render(Tables.Of(new Partitions
        {
            Version = 2,
            Partitions_ = { new PartitionInfo { Partition = new Partition { Id = 3, FirstHash = 1UL << 60 }, ReplicaNames = { "n1", "n2" } } },
        }));
        foreach (var part in new[] { "1000000000000000", "none", "n1, n2", "map version 2" }) Assert.Contains(part, partitions, StringComparison.Ordinal);

        var where = Render(Tables.Of(
            new Where { Kind = "counter", Identity = "[x]" },
            new WhereReply { Located = new Located { Node = "n2", Partition = 7, Active = true, Epoch = new Epoch { Generation = 1, Term = 4, Activation = 2 } } }));
        foreach (var part in new[] { "[x]", "n2", "1.4.2", "yes" }) Assert.Contains(part, where, StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_is_one_line() =>
        Assert.Equal(
            "12:00:00.007 n2 Up -> Unreachable (incarnation 3, view 8) missed 3 probes",
            Tables.LineOf(
                new MembershipChanged { Name = "n2", Previous = MemberState.Up, Current = MemberState.Unreachable, Incarnation = 3, View = 8, Evidence = "missed 3 probes", UnixMs = 12 * 3600 * 1000 + 7 },
                TimeZoneInfo.Utc));

    static string Render(IRenderable table)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = 300;
        console.Write(table);
        return text.ToString();
    }
}
