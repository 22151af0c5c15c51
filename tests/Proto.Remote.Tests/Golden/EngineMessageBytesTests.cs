using System.Text;
using Google.Protobuf;
using Proto.Remote.Wire;

namespace Proto.Remote.Tests.Golden;

/// <summary>The engine's own messages: their type names and contents.</summary>
public sealed class EngineMessageBytesTests
{
    public static TheoryData<string, IMessage, string> Messages => new()
    {
        { "actor.Stop", new Stop(), "" },
        { "actor.PoisonPill", new PoisonPill(), "" },
        { "actor.Touch", new Touch(), "" },
        { "actor.Touched", new Touched { Who = new PID("a:1", "x") }, "0A 08 0A 03 61 3A 31 12 01 78 // who = 1: PID { Address = 1, Id = 2 }" },
        { "actor.Watch", new Watch(new PID("a:1", "w")), "0A 08 0A 03 61 3A 31 12 01 77 // Watcher = 1" },
        { "actor.Unwatch", new Unwatch(new PID("a:1", "w")), "0A 08 0A 03 61 3A 31 12 01 77 // Watcher = 1" },
        {
            "actor.Terminated",
            new Terminated { Who = new PID("a:1", "w"), Why = TerminatedReason.Stopped },
            "0A 08 0A 03 61 3A 31 12 01 77 // who = 1; Why = 2 is 0 (Stopped) and left out"
        },
        {
            "actor.Terminated",
            new Terminated { Who = new PID("a:1", "w"), Why = TerminatedReason.AddressTerminated },
            "0A 08 0A 03 61 3A 31 12 01 77 10 01 // Why = 2: 1"
        },
        {
            "actor.Terminated",
            new Terminated { Who = new PID("a:1", "w"), Why = TerminatedReason.NotFound },
            "0A 08 0A 03 61 3A 31 12 01 77 10 02 // Why = 2: 2"
        },
        {
            "actor.DeadLetterResponse",
            new DeadLetterResponse { Target = new PID("a:1", "x") { RequestId = 9 } },
            "0A 0A 0A 03 61 3A 31 12 01 78 18 09 // Target = 1: PID { Address = 1, Id = 2, request_id = 3 }"
        },
        { "remote.ActorPidRequest", new ActorPidRequest { Name = "n", Kind = "echo" }, "0A 01 6E 12 04 65 63 68 6F // name = 1, kind = 2" },
        {
            "remote.ActorPidResponse",
            new ActorPidResponse { Pid = new PID("a:1", "n"), StatusCode = (int)ResponseStatusCode.ProcessNameAlreadyExist },
            "0A 08 0A 03 61 3A 31 12 01 6E 10 01 // pid = 1, status_code = 2: 1"
        },
        { "remote.ActorPidResponse", new ActorPidResponse { StatusCode = (int)ResponseStatusCode.Error }, "10 02 // status_code = 2: 2" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Travels_with_these_bytes(string typeName, IMessage message, string content)
    {
        var payload = GoldenBytes.Of(content);
        byte[] envelope = payload.Length == 0 ? [] : [0x12, (byte)payload.Length, .. payload];
        byte[] batch =
        [
            0x0A, (byte)typeName.Length, .. Encoding.ASCII.GetBytes(typeName), // type_names = 1
            0x12, 0x01, (byte)'t', // targets = 2
            0x1A, (byte)envelope.Length, .. envelope, // envelopes = 3
        ];
        byte[] golden = [0x0A, (byte)batch.Length, .. batch];

        Assert.Equal(golden, GoldenBytes.Encode(new OutgoingMessage(new PID("peer:2", "t"), message, null, null)));
        Assert.Equal([new GoldenBytes.Received(typeName, 0, message, "t", 0, "", 0, "")], GoldenBytes.Decode(golden));
    }
}
