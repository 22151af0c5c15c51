using Google.Protobuf;
using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>Calls with one message in and one message out.</summary>
static class UnaryCall
{
    /// <exception cref="GrpcException">There is no request, or it is malformed.</exception>
    public static async Task<TRequest> ReadAsync<TRequest>(this IServerCall call, MessageParser<TRequest> parser)
        where TRequest : IMessage<TRequest>
    {
        var request = await call.Requests.ReadAsync(call.Aborted) ?? throw new GrpcException(GrpcStatusCode.InvalidArgument, "the call has no request");
        try
        {
            return parser.ParseFrom(request.Span);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"malformed request: {malformed.Message}", malformed);
        }
    }

    public static ValueTask AnswerAsync(this IServerCall call, IMessage response) =>
        call.WriteAsync(GrpcFrame.Wrap(response.ToByteArray()), call.Aborted);
}
