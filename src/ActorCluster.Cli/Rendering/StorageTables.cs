using System.Globalization;
using ActorCluster.Raft.Storage.Offline;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ActorCluster.Cli.Rendering;

/// <summary>A data directory as tables.</summary>
static class StorageTables
{
    public static IEnumerable<IRenderable> Of(StorageReport report)
    {
        if (report.InUse) yield return new Text("A running node uses this directory: what follows may be in the middle of a change.\n");
        yield return Segments(report);
        yield return Groups(report);
        yield return Configs(report);
        if (report.Damages.Count > 0) yield return Damages(report);
    }

    static Table Segments(StorageReport report)
    {
        var table = New("Segment", "Bytes", "Records", "Groups");
        foreach (var s in report.Segments) table.AddRow(Escaped(s.File), Escaped($"{s.Bytes}"), Escaped($"{s.Records}"), Escaped(string.Join(", ", s.Groups)));
        table.Caption = new TableTitle(report.HasTornTail ? "the last segment ends in writes that no sync covered; the next start cuts them" : "the last segment ends with a whole batch");
        return table;
    }

    static Table Groups(StorageReport report)
    {
        var table = New("Group", "Name", "Term", "Vote", "Commit", "First", "Last", "Terms of entries", "Entry bytes", "Snapshot", "Remarks");
        foreach (var g in report.Groups)
        {
            var remarks = new List<string>();
            if (g.Suspicion.Length > 0) remarks.Add("SUSPECT: " + g.Suspicion);
            if (g.ForcedRecovery.Length > 0) remarks.Add("forced recovery " + g.ForcedRecovery);
            table.AddRow(
                Escaped($"{g.Id}"), Escaped(g.Name), Escaped($"{g.Term}"), Escaped(g.Vote), Escaped($"{g.Commit}"), Escaped($"{g.FirstIndex}"), Escaped($"{g.LastTerm}/{g.LastIndex}"),
                Escaped(string.Join(", ", g.Terms.Select(t => $"{t.Term}: {t.First}..{t.Last}"))), Escaped($"{g.EntryBytes}"),
                Escaped(g.Snapshot is { } s ? $"{s.Term}/{s.Index}, {s.Bytes} B" : ""), Escaped(string.Join("; ", remarks)));
        }

        return table;
    }

    static Table Configs(StorageReport report)
    {
        var table = New("Group", "From index", "Voters", "Outgoing voters", "Learners");
        foreach (var g in report.Groups)
        {
            foreach (var c in g.Configs)
                table.AddRow(Escaped(g.Name), Escaped($"{c.Index}"), Escaped(string.Join(", ", c.Voters)), Escaped(string.Join(", ", c.OutgoingVoters)), Escaped(string.Join(", ", c.Learners)));
        }

        return table;
    }

    static Table Damages(StorageReport report)
    {
        var table = New("Damaged file", "Offset", "Group", "Index", "What");
        foreach (var d in report.Damages)
            table.AddRow(Escaped(d.File), Escaped($"{d.Offset}"), Escaped(d.Group?.ToString(CultureInfo.InvariantCulture) ?? "any"), Escaped(d.Index?.ToString(CultureInfo.InvariantCulture) ?? ""), Escaped(d.Reason));
        return table;
    }

    static Table New(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Minimal, ShowRowSeparators = false };
        foreach (var column in columns) table.AddColumn(new TableColumn(Markup.Escape(column)).NoWrap());
        return table;
    }

    static Text Escaped(string text) => new(text.Length == 0 ? "-" : text);
}
