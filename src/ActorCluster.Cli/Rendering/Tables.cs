using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;
using Spectre.Console;

namespace ActorCluster.Cli.Rendering;

/// <summary>The cluster as tables for people.</summary>
public static class Tables
{
    public static Table Of(Members members)
    {
        var table = New("Name", "State", "Address", "HTTP", "Uid", "Incarnation", "Replicas", "Leads", "Evidence");
        foreach (var m in members.Members_.OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            var name = m.CoordinatorVoter ? m.Name + " *" : m.Name;
            var why = string.Join("; ", new[] { m.Evidence, m.Note }.Where(t => t.Length > 0));
            table.AddRow(Text(name), State(m.State), Text(m.Address), Text(m.HttpAddress), Text(new NodeUid(m.Uid).ToString()), Number(m.Incarnation), Number(m.Replicas), Number(m.Leads), Text(why));
        }

        table.Caption = new TableTitle(Markup.Escape(CaptionOf(members)));
        return table;
    }

    public static Table Of(Groups groups)
    {
        var table = New("Group", "Role", "Term", "Leader", "Commit", "Applied", "First", "Last", "Log", "Snapshot", "Voters");
        foreach (var g in groups.Groups_.OrderBy(g => g.Id))
        {
            table.AddRow(
                Text(g.Name), Text(g.Suspicion.Length > 0 ? g.Role + " (suspect)" : g.Role), Number(g.Term), Text(g.LeaderName.Length > 0 ? g.LeaderName : new NodeUid(g.Leader).ToString()), Number(g.CommitIndex), Number(g.AppliedIndex),
                Number(g.FirstIndex), Number(g.LastIndex), Bytes(g.LogBytes), Text(g.SnapshotIndex == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{g.SnapshotIndex} ({Size(g.SnapshotBytes)})")), Number((ulong)g.Voters.Count));
        }

        table.Caption = new TableTitle(Markup.Escape($"replicas on {groups.AnsweredBy}"));
        return table;
    }

    public static Table Of(Partitions partitions)
    {
        var table = New("Partition", "First hash", "Leader", "Address", "Term", "Generation", "Replicas");
        foreach (var p in partitions.Partitions_)
        {
            var leader = new NodeUid(p.Leader);
            table.AddRow(
                Number(p.Partition.Id), Text(p.Partition.FirstHash.ToString("x16", CultureInfo.InvariantCulture)), leader.IsNone ? new Markup("[red]none[/]") : Text(p.LeaderName), Text(p.LeaderAddress),
                Number(p.Term), Number(p.Partition.Generation), Text(string.Join(", ", p.ReplicaNames)));
        }

        table.Caption = new TableTitle(string.Create(CultureInfo.InvariantCulture, $"map version {partitions.Version}, replication factor {partitions.ReplicationFactor}"));
        return table;
    }

    public static Table Of(Where asked, WhereReply reply)
    {
        var table = New("Kind", "Identity", "Partition", "Node", "Address", "Epoch", "Active");
        var at = reply.Located;
        var epoch = at.Epoch is { Activation: > 0 } e ? string.Create(CultureInfo.InvariantCulture, $"{e.Generation}.{e.Term}.{e.Activation}") : "-";
        table.AddRow(Text(asked.Kind), Text(asked.Identity), Number(at.Partition), Text(at.Node), Text(at.Address), Text(epoch), Text(at.Active ? "yes" : "no"));
        return table;
    }

    /// <summary>One line for one change.</summary>
    public static string LineOf(MembershipChanged c, TimeZoneInfo zone)
    {
        var at = c.UnixMs == 0 ? "" : TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds((long)c.UnixMs), zone).ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture);
        var from = c.Previous == MemberState.Unspecified ? "" : $"{c.Previous} -> ";
        return string.Create(CultureInfo.InvariantCulture, $"{at}{c.Name} {from}{c.Current} (incarnation {c.Incarnation}, view {c.View}) {c.Evidence}").TrimEnd();
    }

    static string CaptionOf(Members members)
    {
        if (!members.Formed) return $"forming, waiting for {(members.WaitingFor.Count == 0 ? "an agreement" : string.Join(", ", members.WaitingFor))}; told by {members.AnsweredBy}";
        return string.Create(CultureInfo.InvariantCulture, $"cluster {members.ClusterId}, view {members.View}, told by {members.AnsweredBy}; * votes in the coordinator group");
    }

    static Table New(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Minimal, ShowRowSeparators = false };
        foreach (var column in columns) table.AddColumn(new TableColumn(Markup.Escape(column)).NoWrap());
        return table;
    }

    static Text Text(string text) => new(text.Length == 0 ? "-" : text);

    static Text Number(ulong number) => new(number.ToString(CultureInfo.InvariantCulture));

    static Text Bytes(ulong bytes) => new(Size(bytes));

    static string Size(ulong bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
    };

    static Markup State(MemberState state) => state switch
    {
        MemberState.Up => new Markup("[green]Up[/]"),
        MemberState.Unreachable => new Markup("[red]Unreachable[/]"),
        MemberState.Removed => new Markup("[grey]Removed[/]"),
        _ => new Markup($"[yellow]{state}[/]"),
    };
}
