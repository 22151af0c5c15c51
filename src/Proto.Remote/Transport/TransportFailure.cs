using System.Net.Sockets;

namespace Proto.Remote.Transport;

public static class TransportFailure
{
    /// <summary>Why a call could not be opened: nobody listens there.</summary>
    public static bool IsRefused(Exception failure) =>
        failure is HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } };
}
