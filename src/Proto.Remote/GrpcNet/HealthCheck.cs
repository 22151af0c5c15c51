using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary><c>grpc.health.v1.Health/Check</c>: SERVING, for whatever service is asked about, as long as the listener answers.</summary>
static class HealthCheck
{
    // HealthCheckResponse { status: SERVING }
    static readonly byte[] Serving = GrpcFrame.Wrap([1 << 3, 1]);

    public static async Task ServeAsync(IServerCall call)
    {
        await call.Requests.ReadAsync(call.Aborted);
        await call.WriteAsync(Serving, call.Aborted);
    }
}
