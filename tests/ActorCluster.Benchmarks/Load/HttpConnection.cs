using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace ActorCluster.Benchmarks.Load;

/// <summary>
/// A keep-alive HTTP/1.1 connection that sends prepared bytes and reads one response: no pipelining, no header objects,
/// nothing allocated per request. The client shares the machine with the servers, so what it costs falsifies the result.
/// </summary>
sealed class HttpConnection(IPEndPoint endpoint) : IDisposable
{
    readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    int _filled;

    /// <summary>Body of the last response; valid until the next request. Chunks are left as they came.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    public ValueTask ConnectAsync(CancellationToken ct) => _socket.ConnectAsync(endpoint, ct);

    /// <summary>Sends a request and reads the whole response; returns the status code.</summary>
    public async ValueTask<int> RequestAsync(ReadOnlyMemory<byte> request, CancellationToken ct)
    {
        while (!request.IsEmpty) request = request[await _socket.SendAsync(request, ct)..];

        _filled = 0;
        var head = -1;
        while (head < 0)
        {
            await ReceiveAsync(ct);
            head = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8);
        }
        var bodyStart = head + 4;
        var (status, length) = ReadHead(_buffer.AsSpan(0, head + 2));
        var end = length >= 0 ? bodyStart + length : -1;
        while (end < 0 || _filled < end)
        {
            if (end < 0 && (end = EndOfChunks(_buffer.AsSpan(0, _filled), bodyStart)) > 0) continue;
            await ReceiveAsync(ct);
        }
        Body = _buffer.AsMemory(bodyStart, end - bodyStart);
        return status;
    }

    public void Dispose()
    {
        _socket.Dispose();
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    async ValueTask ReceiveAsync(CancellationToken ct)
    {
        if (_filled == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(2 * _buffer.Length);
            _buffer.AsSpan(0, _filled).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        var received = await _socket.ReceiveAsync(_buffer.AsMemory(_filled), ct);
        if (received == 0) throw new IOException("the server closed the connection");
        _filled += received;
    }

    /// <summary>Status and content length; length -1 means chunked.</summary>
    static (int Status, int Length) ReadHead(ReadOnlySpan<byte> head)
    {
        // "HTTP/1.1 200 OK"
        if (head.Length < 12 || !Utf8Parser.TryParse(head.Slice(9, 3), out int status, out _)) throw new IOException("not an HTTP response");
        var length = status == 204 ? 0 : -2;
        while (!head.IsEmpty)
        {
            var end = head.IndexOf("\r\n"u8);
            var line = head[..end];
            head = head[(end + 2)..];
            if (HasName(line, "content-length:"u8) && Utf8Parser.TryParse(line[15..].Trim((byte)' '), out int value, out _)) length = value;
            else if (HasName(line, "transfer-encoding:"u8)) length = -1;
        }
        return length == -2 ? throw new IOException("a response without a length") : (status, length);
    }

    static bool HasName(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
    {
        if (line.Length < name.Length) return false;
        for (var i = 0; i < name.Length; i++)
        {
            if ((line[i] | 0x20) != (name[i] | 0x20)) return false;
        }
        return true;
    }

    /// <summary>Where the chunked body ends (RFC 9112, section 7.1, without trailers); -1 while it is not all there.</summary>
    static int EndOfChunks(ReadOnlySpan<byte> bytes, int position)
    {
        while (true)
        {
            var line = bytes[position..].IndexOf("\r\n"u8);
            if (line < 0 || !Utf8Parser.TryParse(bytes.Slice(position, line), out int size, out _, 'x')) return -1;
            position += line + 2 + size + 2;
            if (position > bytes.Length) return -1;
            if (size == 0) return position;
        }
    }
}
