using System.Globalization;
using System.Net.Http.Headers;

namespace Proto.Remote.Transport;

/// <summary>One open call as its caller sees it. One writer and one reader at a time.</summary>
public sealed class GrpcDuplexCall : IClientCall
{
    readonly DuplexContent _content;
    readonly HttpResponseMessage _response;

    internal GrpcDuplexCall(DuplexContent content, HttpResponseMessage response, GrpcFrameReader responses)
    {
        _content = content;
        _response = response;
        Responses = responses;
    }

    public GrpcFrameReader Responses { get; }

    /// <summary>The status that the server ended the call with; null while its trailers have not come.</summary>
    public GrpcStatus? Status => StatusOf(_response.TrailingHeaders);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken)
    {
        try
        {
            await (await RequestsAsync(cancellationToken).ConfigureAwait(false)).WriteAsync(frames, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsEnd(failure, cancellationToken))
        {
            throw Ended(failure);
        }
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await (await RequestsAsync(cancellationToken).ConfigureAwait(false)).FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsEnd(failure, cancellationToken))
        {
            throw Ended(failure);
        }
    }

    /// <summary>Half-closes: no more requests will come.</summary>
    public void CompleteRequests() => _content.End();

    /// <summary>Ends the call; a call that is not complete is reset. Whoever reads disposes <see cref="Responses"/> when the last read has returned.</summary>
    public void Dispose()
    {
        _response.Dispose();
        _content.End();
    }

    // A server may answer, and end the call, before the first frames have left: then the request is never open.
    ValueTask<Stream> RequestsAsync(CancellationToken cancellationToken) =>
        _content.Opened.IsCompletedSuccessfully ? new(_content.Opened.Result) : new(_content.Opened.WaitAsync(cancellationToken));

    /// <summary>A call that the server has ended looks to a writer like a disposed stream, or like a cancellation that nobody asked for.</summary>
    static bool IsEnd(Exception failure, CancellationToken cancellationToken) =>
        failure is ObjectDisposedException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    static IOException Ended(Exception cause) => new("the call has ended", cause);

    internal static GrpcStatus? StatusOf(HttpResponseHeaders headers)
    {
        if (!headers.TryGetValues("grpc-status", out var codes)) return null;
        var code = int.TryParse(First(codes), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (GrpcStatusCode)number
            : GrpcStatusCode.Unknown;
        var message = headers.TryGetValues("grpc-message", out var messages) ? GrpcStatus.DecodeMessage(First(messages)) : "";
        return new GrpcStatus(code, message);
    }

    static string First(IEnumerable<string> values)
    {
        foreach (var value in values) return value;
        return "";
    }
}
