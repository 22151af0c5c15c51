using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>Serves the calls that arrive at one address.</summary>
sealed class Listener(
    SimulatedNetwork network, Node node, string address, int port, IReadOnlyDictionary<string, GrpcHandler> methods, int maxMessageBytes)
    : ITransportServer
{
    readonly List<ServerEnd> _serving = [];

    public Node Node => node;

    public string Address => address;

    public int Port => port;

    public int MaxMessageBytes => maxMessageBytes;

    public void Accept(ServerEnd call, string method)
    {
        _serving.Add(call);
        _ = node.Start(() => ServeAsync(call, method));
    }

    /// <summary>Stops listening and ends the calls that are still served.</summary>
    public ValueTask DisposeAsync()
    {
        network.Forget(this);
        foreach (var call in _serving.ToArray()) call.Abort();
        return ValueTask.CompletedTask;
    }

    async Task ServeAsync(ServerEnd call, string method)
    {
        call.Finish(await RunAsync(call, method));
        _serving.Remove(call);
    }

    /// <summary>The call's status; null: it fails without one.</summary>
    async Task<GrpcStatus?> RunAsync(ServerEnd call, string method)
    {
        if (!methods.TryGetValue(method, out var handler)) return new GrpcStatus(GrpcStatusCode.Unimplemented, $"unknown method {method}");
        try
        {
            await handler(call);
            return GrpcStatus.Ok;
        }
        catch (GrpcException refused)
        {
            return refused.Status;
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException && call.Aborted.IsCancellationRequested)
        {
            return new GrpcStatus(GrpcStatusCode.Cancelled, "the caller is gone");
        }
        catch (Exception failure)
        {
            node.World.Record(node, "fail", method, failure.GetType().Name);
            return null;
        }
    }
}
