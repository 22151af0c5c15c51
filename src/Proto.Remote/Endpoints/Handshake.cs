using Google.Protobuf;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>The frames of a stream that are not batches.</summary>
static class Handshake
{
    public const string ReceiveMethod = "/remote.Remoting/Receive";

    /// <summary>Clients live at <c>$client/{system id}</c>.</summary>
    public const string ClientPrefix = ActorSystem.Client + "/";

    public static byte[] Frame(RemoteMessage message) => GrpcFrame.Wrap(message.ToByteArray());

    /// <summary>The batch inside a frame, without parsing its envelopes; false for any other frame.</summary>
    public static bool TryGetBatch(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> batch)
    {
        batch = default;
        if (frame.Length == 0 || frame[0] != (1 << 3 | WireReader.BytesType)) return false;
        var reader = new WireReader(frame);
        reader.TryReadTag(out _, out _);
        batch = reader.ReadBytes();
        return true;
    }

    public static RemoteMessage Parse(ReadOnlySpan<byte> frame)
    {
        try
        {
            return RemoteMessage.Parser.ParseFrom(frame);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"malformed RemoteMessage: {malformed.Message}", malformed);
        }
    }
}
