using System.Text;
using ActorCluster.Protocol;

namespace ActorCluster.Client;

/// <summary>Refuses what every node would refuse, before it travels.</summary>
static class ClientLimits
{
    public static void CheckKey(string key, string name)
    {
        if (key.Length == 0) throw new NotExecutedException(ErrorCode.InvalidArgument, $"{name} is empty");
        if (key.Length > Limits.MaxKeyBytes || Encoding.UTF8.GetByteCount(key) > Limits.MaxKeyBytes)
            throw new NotExecutedException(ErrorCode.KeyTooLong, $"{name} is longer than {Limits.MaxKeyBytes} bytes of UTF-8");
    }

    public static void CheckValue(int bytes, string name)
    {
        if (bytes > Limits.MaxValueBytes) throw new NotExecutedException(ErrorCode.ValueTooLarge, $"{name} has {bytes} bytes, more than {Limits.MaxValueBytes}");
    }
}
