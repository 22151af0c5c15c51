namespace Proto.Remote;

/// <summary>How messages leave for one address.</summary>
public record EndpointWriterOptions
{
    /// <summary>Most messages in one frame.</summary>
    public int EndpointWriterBatchSize { get; set; } = 1000;

    /// <summary>A batch takes no more messages when it has reached this size, in bytes: frames stay small, so that priority messages get between them.</summary>
    public int MaxBatchBytes { get; set; } = 128 * 1024;

    /// <summary>Attempts to reach an address that never answered yet, before what waits for it becomes dead letters. A peer that was connected gets one.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>
    /// The pause after the first failed attempt to reach an address. It doubles with every further one up to <see cref="MaxRetryBackOff"/>; a random
    /// part of up to half is taken off.
    /// </summary>
    public TimeSpan RetryBackOff { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause between two attempts; <see cref="RetryBackOff"/> holds when that is longer.</summary>
    public TimeSpan MaxRetryBackOff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Kept for source compatibility: retries are bounded by <see cref="MaxRetries"/>, not by a time span.</summary>
    public TimeSpan? RetryTimeSpan { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>Most messages waiting for one address or in flight to it, in each lane; more become dead letters.</summary>
    public int MaxQueuedMessages { get; set; } = 131_072;

    /// <summary>
    /// Most bytes waiting for one address or in flight to it, in each lane; more become dead letters. Counted is about the size on the wire: exact for
    /// protobuf messages, for others what messages of their type had lately.
    /// </summary>
    public long MaxQueuedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Largest serialised message, in bytes. Nodes may differ: each says what it takes when a connection opens, and a message that is too large for
    /// the peer is refused alone. A frame may be twice as large; a larger one is refused with RESOURCE_EXHAUSTED.
    /// </summary>
    public int MaxMessageBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>Time for the connection and for the handshake of one attempt.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// After this long without a word from the peer an HTTP/2 ping is sent; without an answer to it within <see cref="KeepAlivePingTimeout"/>
    /// the connection counts as lost. It finds peers that vanished without closing (half-open). At least one second each.
    /// </summary>
    public TimeSpan KeepAlivePingDelay { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Long, because a peer that is only starved of processor time must not be taken for dead.</summary>
    public TimeSpan KeepAlivePingTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest frame that is accepted, in bytes.</summary>
    public int MaxFrameBytes => checked(MaxMessageBytes * FrameBytesPerMessageByte);

    internal const int FrameBytesPerMessageByte = 2;
}
