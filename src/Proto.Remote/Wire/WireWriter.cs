using System.Buffers;
using System.Text;

namespace Proto.Remote.Wire;

/// <summary>Protobuf's wire encoding (protobuf.dev/programming-guides/encoding) into one pooled, growing buffer. Not thread-safe.</summary>
sealed class WireWriter(int initialBytes) : IDisposable
{
    const int KeepBytes = 1024 * 1024;

    byte[] _buffer = ArrayPool<byte>.Shared.Rent(initialBytes);

    /// <summary>How many bytes are written; setting it back takes the last ones away.</summary>
    public int Length { get; set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    /// <summary>Forgets what is written; a buffer that one large message has grown is given back.</summary>
    public void Clear()
    {
        Length = 0;
        if (_buffer.Length <= KeepBytes) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(initialBytes);
    }

    /// <summary>Reserves the next <paramref name="bytes"/> bytes and returns them to be filled completely.</summary>
    public Span<byte> Append(int bytes)
    {
        Ensure(bytes);
        var span = _buffer.AsSpan(Length, bytes);
        Length += bytes;
        return span;
    }

    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Append(bytes.Length));

    public void Varint(uint value)
    {
        Ensure(5);
        var position = Length;
        var buffer = _buffer;
        while (value >= 0x80)
        {
            buffer[position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        buffer[position++] = (byte)value;
        Length = position;
    }

    public void VarintField(byte tag, uint value)
    {
        if (value == 0) return;
        Append(1)[0] = tag;
        Varint(value);
    }

    /// <summary>A string as an element of a repeated field: written even when it is empty.</summary>
    public void StringElement(byte tag, string value)
    {
        Append(1)[0] = tag;
        var bytes = Encoding.UTF8.GetByteCount(value);
        Varint((uint)bytes);
        Encoding.UTF8.GetBytes(value, Append(bytes));
    }

    public void StringField(byte tag, string value)
    {
        if (value.Length > 0) StringElement(tag, value);
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    public static int VarintSize(uint value) => value switch
    {
        < 1u << 7 => 1,
        < 1u << 14 => 2,
        < 1u << 21 => 3,
        < 1u << 28 => 4,
        _ => 5,
    };

    public static int VarintFieldSize(uint value) => value == 0 ? 0 : 1 + VarintSize(value);

    public static int StringFieldSize(string value)
    {
        if (value.Length == 0) return 0;
        var bytes = Encoding.UTF8.GetByteCount(value);
        return 1 + VarintSize((uint)bytes) + bytes;
    }

    void Ensure(int bytes)
    {
        if (_buffer.Length - Length >= bytes) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, checked(Length + bytes)));
        _buffer.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
