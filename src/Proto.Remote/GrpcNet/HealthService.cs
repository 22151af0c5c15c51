using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>
/// gRPC's health checking protocol (<c>grpc.health.v1.Health</c>, grpc/doc/health-checking.md) for the server as a whole, which is the service
/// "", and for <c>remote.Remoting</c>: serving from the start until the shutdown begins.
/// </summary>
sealed class HealthService
{
    /// <summary>HealthCheckResponse.ServingStatus.</summary>
    enum ServingStatus
    {
        Serving = 1,
        NotServing = 2,
        ServiceUnknown = 3,
    }

    readonly TaskCompletionSource _leaving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>From now on: NOT_SERVING.</summary>
    public void Leave() => _leaving.TrySetResult();

    public async Task CheckAsync(IServerCall call)
    {
        var service = await ReadServiceAsync(call);
        var status = StatusOf(service);
        if (status == ServingStatus.ServiceUnknown) throw new GrpcException(GrpcStatusCode.NotFound, $"there is no service '{service}' here");
        await AnswerAsync(call, status);
    }

    /// <summary>The status now, and again when it changes; a service that is not known is no error here.</summary>
    public async Task WatchAsync(IServerCall call)
    {
        var service = await ReadServiceAsync(call);
        var status = StatusOf(service);
        await AnswerAsync(call, status);
        if (status == ServingStatus.NotServing) return;
        await _leaving.Task.OnThisContext().WaitAsync(call.Aborted);
        if (status == ServingStatus.Serving) await AnswerAsync(call, ServingStatus.NotServing);
    }

    ServingStatus StatusOf(string service) =>
        service is not ("" or "remote.Remoting") ? ServingStatus.ServiceUnknown
        : _leaving.Task.IsCompleted ? ServingStatus.NotServing
        : ServingStatus.Serving;

    /// <summary>HealthCheckRequest { string service = 1; }</summary>
    static async Task<string> ReadServiceAsync(IServerCall call)
    {
        var request = await call.Requests.ReadAsync(call.Aborted) ?? throw new GrpcException(GrpcStatusCode.InvalidArgument, "the call has no request");
        return ServiceIn(request.Span);
    }

    static string ServiceIn(ReadOnlySpan<byte> request)
    {
        var service = "";
        var reader = new Wire.WireReader(request);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            if (field == 1 && wireType == Wire.WireReader.BytesType) service = reader.ReadString();
            else reader.Skip(wireType);
        }

        return service;
    }

    /// <summary>HealthCheckResponse { ServingStatus status = 1; }</summary>
    static ValueTask AnswerAsync(IServerCall call, ServingStatus status) => call.WriteAsync(GrpcFrame.Wrap([1 << 3, (byte)status]), call.Aborted);
}
