using System.Net;
using System.Net.Sockets;

namespace Proto.Remote.Tests;

/// <summary>A loopback port that is bound but not listened on: connections are refused, and nobody else is given the port.</summary>
sealed class SilentPort : IDisposable
{
    readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public SilentPort()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
    }

    public int Port { get; }

    public PID Of(string id) => PID.FromAddress($"127.0.0.1:{Port}", id);

    public void Dispose() => _socket.Dispose();
}
