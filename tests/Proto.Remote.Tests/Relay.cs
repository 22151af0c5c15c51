using System.Net;
using System.Net.Sockets;

namespace Proto.Remote.Tests;

/// <summary>A TCP relay on loopback in front of a node: it can cut its connections, refuse new ones, or swallow what passes.</summary>
sealed class Relay : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Lock _gate = new();
    readonly List<Socket> _sockets = [];
    readonly Task _accepting;
    volatile bool _swallow;

    public Relay(int port)
    {
        _listener.Start();
        _accepting = AcceptAsync(port);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Address => _listener.LocalEndpoint.ToString()!;

    /// <summary>Resets every connection that passes here.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var socket in _sockets) socket.Close(0);
            _sockets.Clear();
        }
    }

    /// <summary>From now on nothing gets through, and nobody is told: a half-open connection.</summary>
    public void Swallow() => _swallow = true;

    /// <summary>Ends <see cref="Swallow"/>, with new connections: the old ones are cut.</summary>
    public void Recover()
    {
        _swallow = false;
        Cut();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
    }

    async Task AcceptAsync(int port)
    {
        var pumps = new List<Task>();
        try
        {
            while (true)
            {
                var inner = await _listener.AcceptSocketAsync(_stop.Token);
                if (_swallow)
                {
                    lock (_gate) _sockets.Add(inner);
                    continue;
                }

                var outer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await outer.ConnectAsync(IPAddress.Loopback, port, _stop.Token);
                inner.NoDelay = true;
                lock (_gate) _sockets.AddRange([inner, outer]);
                pumps.AddRange([PumpAsync(inner, outer), PumpAsync(outer, inner)]);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(pumps);
        }
    }

    async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var read = await from.ReceiveAsync(buffer, _stop.Token);
                if (read == 0) break;
                if (!_swallow) await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut.
        }

        if (_swallow) return;
        from.Close(0);
        to.Close(0);
    }
}
