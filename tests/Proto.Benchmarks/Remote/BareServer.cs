using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Proto.Benchmarks.Remote;

/// <summary>Kestrel with HTTP/2 streams that do the least that remoting's must: take bytes, or send them back.</summary>
sealed class BareServer : IAsyncDisposable
{
    public const string EchoPath = "/echo";
    public const string SinkPath = "/sink";

    readonly WebApplication _app;

    BareServer(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.First()).Port;

    public static async Task<BareServer> StartAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.InitialStreamWindowSize = 2 * 1024 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        app.Run(context => context.Request.Path == SinkPath ? TakeAsync(context) : EchoAsync(context));
        await app.StartAsync(ct);
        return new BareServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Sends back what comes, as soon as it comes.</summary>
    static async Task EchoAsync(HttpContext context)
    {
        await context.Response.Body.FlushAsync();
        var (reader, writer) = (context.Request.BodyReader, context.Response.BodyWriter);
        while (true)
        {
            var read = await reader.ReadAsync();
            foreach (var part in read.Buffer) writer.Write(part.Span);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
            await writer.FlushAsync();
        }
    }

    /// <summary>Takes runs of bytes, each after its length in eight bytes, and answers each with one byte.</summary>
    static async Task TakeAsync(HttpContext context)
    {
        await context.Response.Body.FlushAsync();
        var reader = context.Request.BodyReader;
        while (true)
        {
            var head = await reader.ReadAtLeastAsync(sizeof(long));
            if (head.Buffer.Length < sizeof(long)) return;
            var left = LengthIn(head.Buffer.Slice(0, sizeof(long)));
            reader.AdvanceTo(head.Buffer.GetPosition(sizeof(long)));
            while (left > 0)
            {
                var read = await reader.ReadAsync();
                var taken = Math.Min(left, read.Buffer.Length);
                left -= taken;
                reader.AdvanceTo(read.Buffer.GetPosition(taken));
                if (read.IsCompleted && left > 0) return;
            }

            await context.Response.Body.WriteAsync(new byte[1]);
        }
    }

    static long LengthIn(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        bytes.CopyTo(length);
        return BinaryPrimitives.ReadInt64LittleEndian(length);
    }
}
