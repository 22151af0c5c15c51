using System.Diagnostics;
using System.Security.Cryptography;
using OsProcess = System.Diagnostics.Process;

namespace Proto.Remote.Tests.Conversation;

/// <summary>
/// The npm packages that the other side of the conversation is made of: installed once per user and lock file, among the user's application data,
/// from whatever registry npm is configured for.
/// </summary>
static class GrpcJs
{
    static readonly TimeSpan InstallTimeout = TimeSpan.FromSeconds(15);
    static readonly Lazy<(string? Modules, string? Missing)> Installed = new(Install);

    /// <summary>Where this folder's files stand beside the test assembly.</summary>
    public static string Sources => Path.Combine(AppContext.BaseDirectory, "Conversation");

    public static string Modules => Installed.Value.Modules ?? throw new InvalidOperationException(Installed.Value.Missing);

    /// <summary>Why the conversation cannot take place; null when it can.</summary>
    public static string? Missing => Installed.Value.Missing;

    static (string?, string?) Install()
    {
        if (!Succeeds("node", ["--version"], ".", out _)) return (null, "Node.js is not installed");
        var version = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Sources, "package-lock.json"))))[..16];
        var own = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        var root = Directory.CreateDirectory(Path.Combine(own.Length > 0 ? own : Path.GetTempPath(), "proto-remote-conversation")).FullName;
        var home = Path.Combine(root, version);
        var modules = Path.Combine(home, "node_modules");
        if (Directory.Exists(modules)) return (modules, null);

        // Made apart and moved whole: what stands under the final name is complete.
        var scratch = Directory.CreateDirectory(Path.Combine(root, $"{version}-{Environment.ProcessId}")).FullName;
        try
        {
            foreach (var file in new[] { "package.json", "package-lock.json" }) File.Copy(Path.Combine(Sources, file), Path.Combine(scratch, file), overwrite: true);
            string[] install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--prefer-offline"];
            if (!Succeeds("npm", install, scratch, out var complaint)) return (null, $"npm cannot install the packages (no registry?): {complaint}");
            try
            {
                Directory.Move(scratch, home);
            }
            catch (IOException) when (Directory.Exists(modules))
            {
                // Another test run was faster.
            }

            return (modules, null);
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
    }

    static bool Succeeds(string program, string[] arguments, string directory, out string complaint)
    {
        try
        {
            using var process = OsProcess.Start(new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(InstallTimeout))
            {
                process.Kill(entireProcessTree: true);
                complaint = $"'{program} {arguments[0]}' took longer than {InstallTimeout.TotalSeconds} s";
                return false;
            }

            complaint = errors.Result.Split('\n')[0];
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception notThere)
        {
            complaint = notThere.Message;
            return false;
        }
    }
}

/// <summary>A test that needs Node.js and npm's packages: skipped, with the reason, where they cannot be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class GrpcJsFactAttribute : FactAttribute
{
    public GrpcJsFactAttribute() => Skip = GrpcJs.Missing;
}

/// <inheritdoc cref="GrpcJsFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
sealed class GrpcJsTheoryAttribute : TheoryAttribute
{
    public GrpcJsTheoryAttribute() => Skip = GrpcJs.Missing;
}
