using Google.Protobuf;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests.Fuzz;

/// <summary>Frames that are almost right: valid ones, cut off, with flipped bits, with parts of others, or with a lying length.</summary>
sealed class Mutations(int seed)
{
    static readonly byte[][] Valid =
    [
        Handshake.Frame(new RemoteMessage { DisconnectRequest = new DisconnectRequest() }),
        Handshake.Frame(new RemoteMessage { ConnectResponse = new ConnectResponse { MemberId = "m", Blocked = true } }),
        Handshake.Frame(new RemoteMessage { ConnectRequest = new ConnectRequest { ServerConnection = new ServerConnection { MemberId = "m", Address = "a:1" } } }),
        Handshake.Frame(Batch("prototest.Ping", new Ping { Number = 1, Text = "text" })),
        Handshake.Frame(Batch("actor.Watch", new Watch(new PID("", "w")))),
        Handshake.Frame(Batch("actor.Terminated", new Terminated { Who = new PID("a:1", "x") })),
        Handshake.Frame(Batch("no.such.Type", new Ping())),
    ];

    readonly Random _random = new(seed);

    /// <summary>A frame with its prefix.</summary>
    public byte[] Next()
    {
        var frame = Valid[_random.Next(Valid.Length)].ToArray();
        for (var times = _random.Next(1, 4); times > 0; times--) frame = Change(frame);
        return frame;
    }

    /// <summary>Content that a frame's prefix does not contradict: what a decoder gets to see.</summary>
    public byte[] NextMessage()
    {
        var frame = Next();
        return frame.Length <= GrpcFrame.PrefixLength ? frame : frame[GrpcFrame.PrefixLength..];
    }

    byte[] Change(byte[] frame)
    {
        switch (_random.Next(5))
        {
            case 0: // a flipped bit
                frame[_random.Next(frame.Length)] ^= (byte)(1 << _random.Next(8));
                return frame;
            case 1: // the end is missing, and the prefix is right about it
                return Wrapped(frame[..(GrpcFrame.PrefixLength + _random.Next(frame.Length - GrpcFrame.PrefixLength + 1))]);
            case 2: // a byte too many, or a run of them
                var at = _random.Next(GrpcFrame.PrefixLength, frame.Length + 1);
                var more = new byte[_random.Next(1, 12)];
                _random.NextBytes(more);
                return Wrapped([.. frame[..at], .. more, .. frame[at..]]);
            case 3: // the head of one and the tail of another
                var other = Valid[_random.Next(Valid.Length)];
                return Wrapped([.. frame[.._random.Next(GrpcFrame.PrefixLength, frame.Length + 1)], .. other[_random.Next(GrpcFrame.PrefixLength, other.Length)..]]);
            default: // a number becomes a huge one
                frame[_random.Next(GrpcFrame.PrefixLength, frame.Length)] = 0xff;
                return frame;
        }
    }

    static byte[] Wrapped(byte[] frame)
    {
        // A frame without content stays one byte long, so that every change has something to change.
        if (frame.Length == GrpcFrame.PrefixLength) frame = [.. frame, 0];
        GrpcFrame.WritePrefix(frame, frame.Length - GrpcFrame.PrefixLength);
        return frame;
    }

    static RemoteMessage Batch(string typeName, IMessage content)
    {
        var batch = new MessageBatch { TypeNames = { typeName }, Targets = { "inbox", "nobody" }, Senders = { new PID("", "s") } };
        batch.Envelopes.Add(new MessageEnvelope
        {
            MessageData = content.ToByteString(),
            Target = 1,
            Sender = 1,
            SenderRequestId = 5,
            MessageHeader = new MessageHeader { HeaderData = { ["k"] = "v" } },
        });
        return new RemoteMessage { MessageBatch = batch };
    }
}
