namespace Proto.Benchmarks.Remote;

/// <summary>A message's bytes to the other process and back, over a bare stream, one after the other.</summary>
sealed class BareRoundTrip(BareStream stream, int messageBytes)
{
    readonly byte[] _request = new byte[messageBytes];
    readonly byte[] _response = new byte[messageBytes];

    public async Task RequestAsync()
    {
        await stream.Requests.WriteAsync(_request);
        await stream.Requests.FlushAsync();
        await stream.Responses.ReadExactlyAsync(_response);
    }
}
