using Programs;

namespace Proto.Compatibility.Tests;

/// <summary>Each program runs to its end and prints what its author expects.</summary>
public class ProgramTests
{
    [Fact]
    public Task Hello_world() => Prints(HelloWorld.RunAsync, """
        started
        Hello Alex
        Hello Roger, you asked
        stopped
        """);

    [Fact]
    public Task Light_bulb() => Prints(LightBulb.RunAsync, """
        Touch: Cold
        PressSwitch: Turning on
        Touch: Hot!
        PressSwitch: Turning off
        Touch: Cold
        HitWithHammer: Smashed!
        PressSwitch: 
        Touch: Owww!
        Mend: As new
        Touch: Cold
        """);

    [Fact]
    public Task Supervised_children() => Prints(Supervised.RunAsync, """
        count 1
        count 2
        count 3
        restarting
        count 1
        child terminated: Stopped, 0 children left
        """);

    [Fact]
    public Task Middleware_headers_and_decorators() => Prints(Pipeline.RunAsync, """
        sending work
        receiving work
        actor got work in 1000/3000
        WORK DONE
        """);

    [Fact]
    public Task Routers() => Prints(Routing.RunAsync, """
        round robin pool: 6 jobs, at most three workers
        consistent hash pool: 6 jobs, at most three workers
        random pool: 6 jobs, at most three workers
        round robin group: 3 jobs, at most three workers
        group has 4 routees
        after broadcast: 1 jobs, at most three workers
        """);

    [Fact]
    public Task Timers_and_events() => Prints(TimersAndEvents.RunAsync, """
        receive timeout
        three ticks
        dead letter: too late to the stopped actor
        nobody there
        """);

    [Fact]
    public Task Reentrant_actor() => Prints(Reentrancy.RunAsync, """
        quick answer
        4 became 40
        waited for 7
        """);

    [Fact]
    public Task Chat_over_remoting() => Prints(Chat.RunAsync, """
        alice < Welcome!
        bob < Welcome!
        bob < alice: hello
        bob < alice is now Alice
        bob < Alice: how are you?
        """);

    [Fact]
    public Task Remote_ping_pong() => Prints(RemotePingPong.RunAsync, """
        spawn: OK
        spawn again: ProcessNameAlreadyExist
        sum 5050
        p1: AddressTerminated
        """);

    [Fact]
    public Task Virtual_actors_with_the_partition_identity_lookup() => Prints(VirtualActors.RunWithPartitionIdentityAsync, Accounts);

    [Fact]
    public Task Virtual_actors_with_the_partition_activator_lookup() => Prints(VirtualActors.RunWithPartitionActivatorAsync, Accounts);

    [Fact]
    public Task Hosted_member_with_dependency_injection() => Prints(Hosted.RunAsync, """
        14 cost 42
        2 cost 6
        shut down: True
        """);

    [Fact]
    public Task Traced_request() => Prints(Traced.RunAsync, "four spans or more in 1 trace");

    const string Accounts = """
        acc0: 100
        acc1: 70
        acc2: 130
        members: 2, hosting accounts: 2
        """;

    static async Task Prints(Func<TextWriter, Task> program, string expected)
    {
        await using var output = new StringWriter { NewLine = "\n" };
        await program(TextWriter.Synchronized(output)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(expected.ReplaceLineEndings("\n"), output.ToString().TrimEnd('\n'));
    }
}
