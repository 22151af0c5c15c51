namespace Proto.Remote.Transport;

/// <summary>
/// How systems reach each other: calls of named methods, each a stream of frames in both directions. Without a transport among the actor
/// system's extensions, remoting uses gRPC over HTTP/2 (<see cref="GrpcTransport"/>); a registered one takes its place.
/// </summary>
public interface ITransport : IActorSystemExtension<ITransport>
{
    /// <summary>Serves calls at the host and port until the server is disposed.</summary>
    /// <param name="host">An address or a name of this machine.</param>
    /// <param name="port">0: a free one.</param>
    /// <param name="methods">By path: <c>/package.Service/Method</c>.</param>
    /// <param name="options">Limits.</param>
    Task<ITransportServer> ListenAsync(string host, int port, IReadOnlyDictionary<string, GrpcHandler> methods, EndpointWriterOptions options);

    /// <summary>A way to the system at <c>host:port</c>; connects with the first call.</summary>
    ITransportChannel CreateChannel(string address, EndpointWriterOptions options);
}

/// <summary>A listener. Disposing it ends the calls that it serves and frees the port.</summary>
public interface ITransportServer : IAsyncDisposable
{
    /// <summary>The port that is listened on.</summary>
    int Port { get; }
}

/// <summary>One connection to one server; disposing it closes the connection.</summary>
public interface ITransportChannel : IDisposable
{
    /// <summary>Opens a call of the method and sends its first frames.</summary>
    /// <exception cref="HttpRequestException">Nobody could be reached (<see cref="TransportFailure.IsRefused"/>: nobody listens there).</exception>
    /// <exception cref="GrpcException">The server answered something else than a stream.</exception>
    Task<IClientCall> OpenAsync(string method, ReadOnlyMemory<byte> firstFrames, CancellationToken cancellationToken);
}
