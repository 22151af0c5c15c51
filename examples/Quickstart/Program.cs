using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Quickstart;

// The nodes write their logs to files; this program tells its story on the console.
Proto.Log.SetLoggerFactory(NullLoggerFactory.Instance);

var file = new Option<FileInfo?>("--file") { Description = "text whose words are counted (default: LICENSE)", HelpName = "FILE" };
var keep = new Option<bool>("--keep") { Description = "leave the cluster running and say how to talk to it" };
var command = new RootCommand("Starts three nodes, counts the words of a text through counter grains, kills a node in the middle, and compares every count.")
{
    file,
    keep,
};
command.SetAction((parsed, ct) => new Run(Repository.Find(), parsed.GetValue(file), parsed.GetValue(keep)).ExecuteAsync(ct));
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
