namespace Proto;

/// <summary>A request of a batch: it takes an address of the batch while there is one.</summary>
internal sealed class BatchRequest<T> : RequestFuture<T>
{
    private readonly SharedFutureProcess _addresses;

    private BatchRequest(ActorSystem system, PID target, SharedFutureProcess addresses) : base(system, target) => _addresses = addresses;

    public static Task<T> Send(
        ISenderContext context, SharedFutureProcess addresses, PID target, object message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var request = new BatchRequest<T>(context.System, target, addresses);
        request.EndWith(cancellationToken);
        try
        {
            context.Send(target, MessageEnvelope.ForRequest(message, request));
        }
        catch (Exception reason)
        {
            request.TryAbandon(reason);
        }

        return request.Result;
    }

    protected override PID CreateAddress() => _addresses.TryRent(this, out var pid) ? pid : base.CreateAddress();

    protected override void ReleaseAddress(PID pid)
    {
        if (_addresses.Owns(pid)) _addresses.Return(pid.RequestId, this);
        else base.ReleaseAddress(pid);
    }
}
