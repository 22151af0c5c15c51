namespace Proto.Context;

/// <summary>Uses the receive timeout to find out that the actor is idle. An actor that uses it for itself keeps it to itself.</summary>
public class PassivationContextDecorator(IContext context, TimeSpan timeout) : ActorContextDecorator(context)
{
    bool _isActors; // the actor has set its own

    public override void SetReceiveTimeout(TimeSpan duration)
    {
        _isActors = true;
        base.SetReceiveTimeout(duration);
    }

    public override void CancelReceiveTimeout()
    {
        _isActors = false;
        base.SetReceiveTimeout(timeout);
    }

    public override async Task Receive(MessageEnvelope envelope)
    {
        switch (envelope.Message)
        {
            case Started:
                _isActors = false;
                base.SetReceiveTimeout(timeout);
                break;
            case Proto.ReceiveTimeout when !_isActors:
                // As a message: what came while the timer fired is handled first.
                Poison(Self);
                return;
        }

        await base.Receive(envelope);
        if (envelope.Message is not Proto.ReceiveTimeout) return;
        // Told once; the actor did not ask for another.
        if (ReceiveTimeout == TimeSpan.Zero) CancelReceiveTimeout();
    }
}
