using System.Net;
using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>The side that serves the call.</summary>
sealed class ServerEnd(Connection connection, SimulatedNetwork network, Node node, Wire outgoing, int maxMessageBytes)
    : ConnectionEnd(network, node, outgoing, maxMessageBytes), IServerCall
{
    readonly CancellationTokenSource _aborted = new();

    public GrpcFrameReader Requests => Frames;

    public CancellationToken Aborted => _aborted.Token;

    public EndPoint? Caller => null;

    protected override string? WriteRefusal => IsOver ? "the call is over" : null;

    public void RequestsEnded() => EndReceived();

    public void Abort()
    {
        if (!IsOver) Reset("the server aborted the call");
    }

    /// <summary>The handler has returned, with a status or (null) a failure that has none.</summary>
    public void Finish(GrpcStatus? status)
    {
        if (IsOver) return;
        if (status is null)
        {
            Reset("the handler failed");
        }
        else if (Broken is null)
        {
            var client = connection.ClientEnd;
            Put(() => client.Ended(status.Value));
        }

        IsOver = true;
        Frames.Dispose();
        connection.EndOver();
    }

    public override void Break(Exception reason)
    {
        if (Broken is not null) return;
        base.Break(reason);
        // A step of its own: its callbacks are anybody's.
        World.Enqueue(new WorkItem(Node, "abort", connection.Name, static source => ((CancellationTokenSource)source!).Cancel(), _aborted));
    }

    protected override void Arrived() { }
}
