using Proto.Remote;
using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>One node's way into the network.</summary>
sealed class SimulatedTransport(SimulatedNetwork network, Node node) : ITransport
{
    public Task<ITransportServer> ListenAsync(
        string host, int port, IReadOnlyDictionary<string, GrpcHandler> methods, EndpointWriterOptions options) =>
        Task.FromResult<ITransportServer>(network.Listen(node, host, port, methods, options.MaxFrameBytes));

    public ITransportChannel CreateChannel(string address, EndpointWriterOptions options) => new Channel(network, node, address, options);

    sealed class Channel(SimulatedNetwork network, Node node, string address, EndpointWriterOptions options) : ITransportChannel
    {
        Connection? _connection;

        public async Task<IClientCall> OpenAsync(string method, ReadOnlyMemory<byte> firstFrames, CancellationToken cancellationToken)
        {
            var listener = network.ListenerAt(address);
            if (listener is null || IsRefusedFor(listener.Node))
            {
                // The host answers as soon as a packet has gone there and back.
                await Task.Delay(network.MinDelay + network.MaxDelay, node.Time, cancellationToken);
                throw Connection.RefusedBy(address);
            }

            var keepAlive = options.KeepAlivePingDelay + options.KeepAlivePingTimeout;
            _connection = network.Connect(node, listener.Node, options.MaxFrameBytes, keepAlive);
            try
            {
                return await _connection.OpenAsync(address, method, firstFrames.ToArray(), cancellationToken);
            }
            catch
            {
                _connection.ClientEnd.Dispose();
                throw;
            }
        }

        public void Dispose() => _connection?.ClientEnd.Dispose();

        /// <summary>The process is dead, and its host can say so.</summary>
        bool IsRefusedFor(Node server) =>
            server is { IsDead: true, LostPower: false }
            && !network.LinkBetween(node.Name, server.Name).IsCut
            && !network.LinkBetween(server.Name, node.Name).IsCut;
    }
}
