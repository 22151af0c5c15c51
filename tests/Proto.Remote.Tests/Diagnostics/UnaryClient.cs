using Google.Protobuf;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests.Diagnostics;

/// <summary>Calls with one message in and one out.</summary>
static class UnaryClient
{
    /// <returns>The answer, null when there is none, and the status.</returns>
    public static async Task<(byte[]? Answer, GrpcStatus Status)> CallAsync(this TestNode node, string method, byte[] request)
    {
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        using var call = await channel.OpenAsync(method, GrpcFrame.Wrap(request), TestNode.Soon());
        call.CompleteRequests();
        var answer = (await call.Responses.ReadAsync(TestNode.Soon()))?.ToArray();
        if (answer is not null) Assert.Null(await call.Responses.ReadAsync(TestNode.Soon()));
        return (answer, call.Status!.Value);
    }

    public static Task<(byte[]? Answer, GrpcStatus Status)> CallAsync(this TestNode node, string method, IMessage request) =>
        node.CallAsync($"/remote.Remoting/{method}", request.ToByteArray());
}
