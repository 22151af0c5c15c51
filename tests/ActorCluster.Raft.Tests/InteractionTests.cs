using ActorCluster.Raft.Tests.Interaction;

namespace ActorCluster.Raft.Tests;

/// <summary>Each script in Scripts/ is a test; it says in prose what it is about.</summary>
public sealed class InteractionTests
{
    public static TheoryData<string> Scripts =>
        [.. Directory.GetFiles(InteractionScript.Folder(), "*.txt").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script(string name) => InteractionScript.Run(name);
}
