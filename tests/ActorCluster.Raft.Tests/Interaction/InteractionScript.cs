using System.Globalization;
using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Tests.Interaction;

/// <summary>
/// Runs a script: commands, each followed by "----" and the trace that is expected of it. The format and the idea are those of the
/// data-driven tests of etcd-io/raft. With REWRITE=1 in the environment the expected traces are replaced by the actual ones: commit
/// the change only if you understand what caused it.
/// </summary>
static class InteractionScript
{
    /// <summary>The scripts in the source tree: they may be rewritten.</summary>
    public static string Folder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ActorCluster.Raft.Tests.csproj"))) folder = folder.Parent;
        return Path.Combine(folder?.FullName ?? throw new DirectoryNotFoundException("no project folder above the test's output"), "Scripts");
    }

    public static void Run(string name)
    {
        var path = Path.Combine(Folder(), name);
        var expected = File.ReadAllText(path);
        var actual = Execute(expected);
        if (Environment.GetEnvironmentVariable("REWRITE") == "1")
        {
            if (actual != expected) File.WriteAllText(path, actual);
            return;
        }

        Assert.Equal(expected, actual);
    }

    static string Execute(string script)
    {
        var output = new StringBuilder();
        var lines = script.TrimEnd('\n').Split('\n');
        World? world = null;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            output.Append(line).Append('\n');
            if (line.Length == 0 || line.StartsWith('#')) continue;

            // The command's old trace, up to the next blank line, is replaced by the new one.
            if (i + 1 < lines.Length && lines[i + 1] == "----") i++;
            while (i + 1 < lines.Length && lines[i + 1].Length > 0) i++;
            var trace = new List<string>();
            try
            {
                world = Command(line, world, trace.Add);
            }
            catch (InvariantViolationException e)
            {
                trace.Add($"invariant: {e.Message}");
            }

            output.Append("----\n").AppendJoin('\n', trace.Count == 0 ? ["ok"] : trace).Append('\n');
        }

        return output.ToString();
    }

    static World Command(string line, World? world, Action<string> trace)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words[0] == "nodes")
        {
            var created = Create(words);
            created.Trace = trace;
            return created;
        }

        if (world is null) throw new InvalidDataException("the first command must be: nodes <voters>");
        world.Trace = trace;
        Step(world, words, line, trace);
        return world;
    }

    static World Create(string[] words)
    {
        var members = new GroupConfig();
        for (var uid = 1; uid <= Number(words[1]); uid++) members.Voters.Add((ulong)uid);
        var options = words.Skip(2).Select(w => w.Split('=')).ToDictionary(p => p[0], p => p[1]);
        if (options.TryGetValue("learners", out var learners)) members.Learners.Add(Uids(learners));
        int Option(string name, int otherwise) => options.TryGetValue(name, out var text) ? Number(text) : otherwise;
        return new World(members, c => c with
        {
            MaxAppendBytes = Option("max-append", c.MaxAppendBytes),
            MaxInflightMessages = Option("inflight", c.MaxInflightMessages),
            MaxUncommittedBytes = Option("max-uncommitted", (int)c.MaxUncommittedBytes),
            KeepTailEntries = Option("tail", c.KeepTailEntries),
        });
    }

    static void Step(World world, string[] words, string line, Action<string> trace)
    {
        switch (words[0])
        {
            case "tick": // tick 1,2 10
                foreach (var uid in Uids(words[1])) world.Tick(uid, words.Length > 2 ? Number(words[2]) : 1);
                break;
            case "campaign": world.Campaign(Uid(words[1])); break;
            case "elect": world.Elect(Uid(words[1])); break;
            case "propose": // propose 1 text
                var receipt = world.Propose(Uid(words[1]), words[2]);
                trace(receipt.Accepted ? $"at {receipt.Term}/{receipt.Index}" : $"refused: {receipt.Refusal}, leader={receipt.Leader.Value}");
                break;
            case "read": world.Core(Uid(words[1])).ReadIndex(ulong.Parse(words[2], CultureInfo.InvariantCulture)); break;
            case "transfer": trace(world.Core(Uid(words[1])).TransferLeadership(new NodeUid(Uid(words[2]))) ? "begun" : "refused"); break;
            case "add-node": world.AddNode(Uid(words[1])); break;
            case "members": // members 1 voters=1,2,3 [learners=4]
                trace($"{world.Core(Uid(words[1])).ChangeMembers(Members(words, "voters"), Members(words, "learners"))}");
                break;
            case "config": foreach (var replica in world.Replicas.Values.Where(r => r.Up)) trace($"{replica.Uid}: {MessageText.Of(replica.Core.Config)}"); break;
            case "leader-lost": world.Core(Uid(words[1])).LeaderLost(new NodeUid(Uid(words[2]))); break;
            case "ready": foreach (var uid in Uids(words[1])) world.TakeReady(uid); break;
            case "durable": // durable 1 [n]
                for (var n = words.Length > 2 ? Number(words[2]) : int.MaxValue; n > 0 && world.CompleteWrite(Uid(words[1])); n--)
                {
                }

                break;
            case "apply": while (world.Apply(Uid(words[1]))) trace($"{words[1]}: state [{string.Join(", ", world[Uid(words[1])].State)}]"); break;
            case "deliver": trace($"{world.Deliver(Filter(words), keep: words.Contains("keep"))} messages"); break;
            case "drop": trace($"{world.Drop(Filter(words))} messages"); break;
            case "stabilize": // stabilize [1,2] [leaving <text of messages to leave in the network>]
                var leaving = words.Length > 3 ? words[3] : null;
                world.Stabilize(m => leaving is null || !MessageText.Of(m).Contains(leaving, StringComparison.Ordinal), words.Length > 1 ? Uids(words[1]) : []);
                break;
            case "quietly": // quietly <command>: no trace
                world.Trace = _ => { };
                Step(world, words[1..], line, _ => { });
                break;
            case "inject": // inject 4->3 t2 append prev=1/1 [2/2 y]
                world.Core(Uid(words[1].Split("->")[1])).Step(ParseAppend(line));
                world.CheckSafety();
                break;
            case "cut": world.Cut(Uid(words[1])); break;
            case "heal": world.Heal(); break;
            case "crash": world[Uid(words[1])].Crash(); break;
            case "damage": // damage 1 5: what is durable from index 5 on is lost
                world[Uid(words[1])].Disk.Damage(ulong.Parse(words[2], CultureInfo.InvariantCulture));
                break;
            case "restart": world[Uid(words[1])].Restart(); break;
            case "snapshot":
                var meta = world[Uid(words[1])].TakeSnapshot();
                trace($"snapshot {meta.Term}/{meta.Index}, log from {world.Core(Uid(words[1])).FirstIndex}");
                break;
            case "network": foreach (var message in world.Network) trace(MessageText.Of(message)); break;
            case "status": foreach (var replica in world.Replicas.Values) trace(Status(replica)); break;
            case "log": trace(Log(world.Core(Uid(words[1])))); break;
            case "state": foreach (var replica in world.Replicas.Values) trace($"{replica.Uid}: [{string.Join(", ", replica.State)}]"); break;
            default: throw new InvalidDataException($"unknown command: {line}");
        }
    }

    /// <summary>"1-&gt;2", "*-&gt;2", "1-&gt;*", a type name, or nothing for everything; joined by and.</summary>
    static Func<RaftMessage, bool> Filter(string[] words)
    {
        Func<RaftMessage, bool> filter = _ => true;
        foreach (var word in words.Skip(1).Where(w => w != "keep"))
        {
            var before = filter;
            if (word.Split("->") is [var from, var to])
                filter = m => before(m) && (from == "*" || Uids(from).Contains(m.From)) && (to == "*" || Uids(to).Contains(m.To));
            else
                filter = m => before(m) && MessageText.Of(m).Contains(word, StringComparison.Ordinal);
        }

        return filter;
    }

    /// <summary>An append with one entry, of a leader that the script only speaks of.</summary>
    static RaftMessage ParseAppend(string line)
    {
        var words = line.Split([' ', '-', '>', '=', '/', '[', ']', 't'], StringSplitOptions.RemoveEmptyEntries);
        ulong At(int i) => ulong.Parse(words[i], CultureInfo.InvariantCulture);
        return new RaftMessage
        {
            Group = 7,
            From = At(1),
            To = At(2),
            Term = At(3),
            AppendRequest = new AppendRequest
            {
                PrevLogTerm = At(6),
                PrevLogIndex = At(7),
                Entries = { new Entry { Term = At(8), Index = At(9), Payload = Google.Protobuf.ByteString.CopyFromUtf8(words[10]) } },
            },
        };
    }

    static string Status(Replica replica)
    {
        if (!replica.Up) return $"{replica.Uid}: down";
        var core = replica.Core;
        return $"{replica.Uid}: {core.Role} t{core.Term} vote={core.Vote.Value} leader={core.Leader.Value} "
            + $"commit={core.CommitIndex} applied={core.AppliedIndex} durable={core.DurableIndex} last={core.LastTerm}/{core.LastIndex}{(core.IsSuspect ? " suspect" : "")}";
    }

    static string Log(RaftNode core)
    {
        var entries = new List<string>();
        for (var index = core.FirstIndex; index <= core.LastIndex; index++) entries.Add(MessageText.Of(core.EntryAt(index)!));
        return entries.Count == 0 ? "empty" : string.Join(", ", entries);
    }

    static NodeUid[] Members(string[] words, string kind) =>
        words.FirstOrDefault(w => w.StartsWith(kind + "=", StringComparison.Ordinal)) is { } word ? [.. Uids(word[(kind.Length + 1)..]).Select(u => new NodeUid(u))] : [];

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    static ulong Uid(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);

    static ulong[] Uids(string text) => [.. text.Split(',').Select(Uid)];
}
