using System.Text;
using Spectre.Console;

namespace ActorCluster.Benchmarks.Reports;

/// <summary>Conditions and a table, for the console and for Markdown.</summary>
/// <param name="Preface">What the numbers depend on, a line each.</param>
/// <param name="Columns">The head of the table.</param>
/// <param name="Rows">A cell for each column.</param>
sealed record Report(IReadOnlyList<string> Preface, IReadOnlyList<string> Columns, IReadOnlyList<string[]> Rows)
{
    public void WriteTo(IAnsiConsole console)
    {
        foreach (var line in Preface) console.WriteLine(line);
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in Columns) table.AddColumn(new TableColumn(column) { NoWrap = true });
        for (var i = 1; i < Columns.Count; i++) table.Columns[i].RightAligned();
        foreach (var row in Rows) table.AddRow(row.Select(Markup.Escape).ToArray());
        console.Write(table);
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        foreach (var line in Preface) text.Append("- ").Append(line).Append('\n');
        text.Append('\n').Append("| ").AppendJoin(" | ", Columns).Append(" |\n|---|").Insert(text.Length, "---:|", Columns.Count - 1).Append('\n');
        foreach (var row in Rows) text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        return text.ToString();
    }
}
