using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>
/// Free ports for nodes that must come back on the same one. Taken below the range from which the system gives ports to
/// outgoing connections: a port from that range could be taken by anybody while its node is down.
/// </summary>
static class Ports
{
    const int Lowest = 10_000;
    static readonly HashSet<int> Given = [];

    public static int Take()
    {
        lock (Given)
        {
            var highest = LowestOutgoing();
            for (var attempt = 0; attempt < 1000; attempt++)
            {
                // The process id spreads test hosts that run side by side.
                var port = Lowest + (((Environment.ProcessId * 131) + (Given.Count * 7) + attempt) % (highest - Lowest));
                if (IsFree(port) && Given.Add(port)) return port;
            }
        }

        throw new InvalidOperationException("no free port found");
    }

    static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }

    static int LowestOutgoing()
    {
        const string Range = "/proc/sys/net/ipv4/ip_local_port_range";
        return File.Exists(Range) ? int.Parse(File.ReadAllText(Range).Split()[0], CultureInfo.InvariantCulture) : 32_768;
    }
}
