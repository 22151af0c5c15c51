using System.Net;

namespace Proto.Benchmarks.Remote;

/// <summary>One HTTP/2 stream that stays open in both directions, with nothing around it.</summary>
sealed class BareStream : IDisposable
{
    readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null, InitialHttp2StreamWindowSize = 2 * 1024 * 1024 });
    readonly OpenContent _content = new();

    BareStream() { }

    public Stream Requests { get; private set; } = Stream.Null;

    public Stream Responses { get; private set; } = Stream.Null;

    public static async Task<BareStream> OpenAsync(int port, string path, CancellationToken ct)
    {
        var stream = new BareStream();
        var request = new HttpRequestMessage(HttpMethod.Post, new UriBuilder("http", "127.0.0.1", port, path).Uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = stream._content,
        };
        var response = await stream._http.SendAsync(request, ct);
        stream.Requests = await stream._content.Opened.WaitAsync(ct);
        stream.Responses = await response.Content.ReadAsStreamAsync(ct);
        return stream;
    }

    public void Dispose()
    {
        _content.End();
        _http.Dispose();
    }

    sealed class OpenContent : HttpContent
    {
        readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Stream> Opened => _opened.Task;

        public void End() => _ended.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            _opened.SetResult(stream);
            await _ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
