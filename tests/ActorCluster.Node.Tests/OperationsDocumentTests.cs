namespace ActorCluster.Node.Tests;

/// <summary>Row B85: one document has all settings, and it is true.</summary>
public class OperationsDocumentTests
{
    [Fact]
    public void Every_setting_is_in_the_document_with_its_names_and_default()
    {
        var lines = File.ReadAllLines(Path.Combine(RepositoryRoot(), "docs", "operations.md"));
        foreach (var setting in ActorClusterSettings.All)
        {
            var line = Assert.Single(lines, l => l.StartsWith($"| `{setting.Field}` |", StringComparison.Ordinal));
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            Assert.Equal($"`{setting.Option}`", cells[2]);
            Assert.Equal($"`{setting.Variable}`", cells[3]);
            Assert.Equal(setting.Default.Length > 0 ? setting.Default : "must be given", cells[4]);
            Assert.Equal(setting.Meaning, cells[6]);
        }
    }

    static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "ActorCluster.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("the tests do not run inside the repository");
    }
}
