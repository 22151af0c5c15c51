using System.Text;
using Proto.Remote.Transport;

namespace Proto.Remote.Wire;

/// <summary>Reads protobuf's wire encoding from a span. Every length is checked against what is there before anything is taken.</summary>
ref struct WireReader(ReadOnlySpan<byte> data)
{
    public const int VarintType = 0;
    public const int Fixed64Type = 1;
    public const int BytesType = 2;
    public const int Fixed32Type = 5;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly ReadOnlySpan<byte> _data = data;
    int _position = 0;

    /// <summary>The next field's number and wire type; false at the end.</summary>
    public bool TryReadTag(out int field, out int wireType)
    {
        if (_position >= _data.Length)
        {
            field = wireType = 0;
            return false;
        }

        var tag = (uint)ReadVarint();
        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        return field != 0 ? true : throw Malformed("field number 0");
    }

    public ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_position >= _data.Length) throw Malformed("a number is cut off");
            var b = _data[_position++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }

        throw Malformed("a number is longer than ten bytes");
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        if (length > (ulong)(_data.Length - _position)) throw Malformed("a length reaches beyond the message");
        var bytes = _data.Slice(_position, (int)length);
        _position += (int)length;
        return bytes;
    }

    public string ReadString()
    {
        try
        {
            return StrictUtf8.GetString(ReadBytes());
        }
        catch (ArgumentException notUtf8)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, "malformed message: a string is not UTF-8", notUtf8);
        }
    }

    public void Skip(int wireType)
    {
        switch (wireType)
        {
            case VarintType: ReadVarint(); break;
            case Fixed64Type: Advance(8); break;
            case BytesType: ReadBytes(); break;
            case Fixed32Type: Advance(4); break;
            default: throw Malformed($"wire type {wireType}");
        }
    }

    public static GrpcException Malformed(string what) => new(GrpcStatusCode.InvalidArgument, $"malformed message: {what}");

    void Advance(int bytes)
    {
        if (_data.Length - _position < bytes) throw Malformed("a field is cut off");
        _position += bytes;
    }
}
