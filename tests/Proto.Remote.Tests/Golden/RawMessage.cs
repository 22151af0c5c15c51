using System.Text;

namespace Proto.Remote.Tests.Golden;

/// <summary>
/// A protobuf message read by the encoding's rules alone (protobuf.dev/programming-guides/encoding): no schema, no generated class and none
/// of the engine's readers, so that it can say what bytes mean without asking the code under test.
/// </summary>
sealed class RawMessage
{
    readonly List<(int Field, ulong Number, byte[]? Bytes)> _fields = [];

    public static RawMessage Parse(byte[] data)
    {
        var message = new RawMessage();
        var position = 0;
        while (position < data.Length)
        {
            var tag = Varint(data, ref position);
            switch (tag & 7)
            {
                case 0:
                    message._fields.Add(((int)(tag >> 3), Varint(data, ref position), null));
                    break;
                case 2:
                    var length = (int)Varint(data, ref position);
                    message._fields.Add(((int)(tag >> 3), 0, data[position..(position + length)]));
                    position += length;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7} at {position}: the protocol has only numbers and bytes");
            }
        }

        return message;
    }

    /// <summary>Field numbers in the order in which they stand there.</summary>
    public IEnumerable<int> Order => _fields.Select(entry => entry.Field);

    /// <summary>A number; 0, the default, when the field is not there.</summary>
    public ulong Number(int field) => _fields.Where(entry => entry.Field == field).Select(entry => entry.Number).LastOrDefault();

    public byte[] Bytes(int field) => _fields.Where(entry => entry.Field == field).Select(entry => entry.Bytes!).LastOrDefault() ?? [];

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    public string[] Texts(int field) => [.. All(field).Select(Encoding.UTF8.GetString)];

    public RawMessage Message(int field) => Parse(Assert.Single(All(field)));

    public RawMessage[] Messages(int field) => [.. All(field).Select(Parse)];

    IEnumerable<byte[]> All(int field) => _fields.Where(entry => entry.Field == field).Select(entry => entry.Bytes!);

    static ulong Varint(byte[] data, ref int position)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = data[position++];
            value |= (ulong)(b & 0x7f) << shift;
            if ((b & 0x80) == 0) return value;
        }
    }
}
