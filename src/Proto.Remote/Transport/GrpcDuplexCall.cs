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

    /// <summary>Hands complete frames (prefix included) to the connection; waits while the server's window is full.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken) =>
        _content.Opened.IsCompletedSuccessfully
            ? _content.Opened.Result.WriteAsync(frames, cancellationToken)
            : WriteWhenOpenAsync(frames, cancellationToken);

    /// <summary>Sends what the connection still gathers.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var requests = await _content.Opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        await requests.FlushAsync(cancellationToken).ConfigureAwait(false);
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
    async ValueTask WriteWhenOpenAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken)
    {
        var requests = await _content.Opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        await requests.WriteAsync(frames, cancellationToken).ConfigureAwait(false);
    }

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
