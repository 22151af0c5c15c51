using Proto.Remote.Transport;

namespace Proto.Deterministic.Network;

/// <summary>The side that opened the connection.</summary>
sealed class ClientEnd(Connection connection, SimulatedNetwork network, Node node, Wire outgoing, int maxMessageBytes)
    : ConnectionEnd(network, node, outgoing, maxMessageBytes), IClientCall
{
    readonly TaskCompletionSource _opened = new();
    bool _requestsCompleted;
    bool _responsesEnded;

    public GrpcFrameReader Responses => Frames;

    public GrpcStatus? Status { get; private set; }

    /// <summary>Completes with the first answer.</summary>
    public Task Opened => _opened.Task;

    protected override string? WriteRefusal =>
        _responsesEnded ? "the server has ended the call" : _requestsCompleted || IsOver ? "the call has ended" : null;

    public void Refuse(HttpRequestException refused) => _opened.TrySetException(refused);

    public Task FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Broken is { } broken ? Task.FromException(new IOException(broken.Message, broken)) : Task.CompletedTask;
    }

    public void CompleteRequests()
    {
        if (_requestsCompleted || Broken is not null) return;
        _requestsCompleted = true;
        var server = connection.ServerEnd;
        Put(server.RequestsEnded);
        WakeWriter();
    }

    /// <summary>The server's handler has returned.</summary>
    public void Ended(GrpcStatus status)
    {
        Arrived();
        Status = status;
        _responsesEnded = true;
        EndReceived();
        WakeWriter();
    }

    public override void Break(Exception reason)
    {
        base.Break(reason);
        if (_opened.TrySetException(new HttpRequestException(reason.Message, reason))) _ = _opened.Task.Exception;
    }

    public void Dispose()
    {
        if (IsOver) return;
        IsOver = true;
        if (!(_responsesEnded && _requestsCompleted)) Reset("the call was disposed");
        connection.EndOver();
    }

    protected override void Arrived() => _opened.TrySetResult();
}
