namespace Quickstart;

/// <summary>Where the built programs are: beside this one, in the same repository and configuration.</summary>
sealed record Repository(string Root, string Configuration, string Framework)
{
    public string License => Path.Combine(Root, "LICENSE");

    public string NodeDll => DllOf("src/ActorCluster.Node", "ActorCluster.Node.dll");

    public string ActorCtlDll => DllOf("src/ActorCluster.Cli", "actorctl.dll");

    /// <exception cref="FileNotFoundException">This program does not run from its place in the repository.</exception>
    public static Repository Find()
    {
        // .../examples/Quickstart/bin/{configuration}/{framework}/
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var root = here.Parent?.Parent?.Parent?.Parent?.Parent;
        if (root is null || !File.Exists(Path.Combine(root.FullName, "ActorCluster.sln")))
            throw new FileNotFoundException($"{here.FullName} is not the quick start's own output folder: run it with `dotnet run -c Release --project examples/Quickstart`");
        return new Repository(root.FullName, here.Parent!.Name, here.Name);
    }

    string DllOf(string project, string name) => Path.Combine(Root, project, "bin", Configuration, Framework, name);
}
