namespace ActorCluster.Node.Startup;

/// <summary>The life of the process: settings, node, exit code.</summary>
public static class NodeProcess
{
    public static async Task<int> RunAsync(string[] args, Func<string, string?> environment, TextWriter output, TextWriter errors)
    {
        var command = new NodeCommand();
        var parsed = command.Root.Parse(args);
        if (parsed.Action is not null && parsed.Errors.Count == 0)
            return await parsed.InvokeAsync(new() { Output = output, Error = errors }); // --help, --version

        var settings = NodeSettings.Read(command, parsed, environment);
        if (settings.Problems.Count > 0)
        {
            await errors.WriteLineAsync($"This node cannot start: {settings.Problems.Count} setting(s) missing or wrong.");
            foreach (var problem in settings.Problems) await errors.WriteLineAsync("  " + problem);
            await errors.WriteLineAsync("See --help for all settings.");
            return ExitCode.WrongSettings;
        }

        throw new NotSupportedException("The node is not put together yet: AddActorCluster (src/ActorCluster) comes first.");
    }
}
