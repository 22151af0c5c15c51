using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using Proto;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// The actor <c>probe</c>: answers probes, passes indirect ones on, and drives the <see cref="FailureDetector"/>. An actor of
/// its own, so that nothing that keeps membership busy looks like the death of the node.
/// </summary>
sealed class ProbeActor(NodeUid self, ulong incarnation, FailureDetector detector, PID membership, MonotonicClock clock) : IActor
{
    public const string Name = "probe";

    /// <summary>Most relayed probes under way; the oldest is forgotten first.</summary>
    const int MaxRelayed = 1024;

    /// <summary>Sequences of relayed probes are above all of the node's own.</summary>
    const ulong RelayBit = 1UL << 63;

    static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(50);

    readonly Dictionary<ulong, (PID Asker, ulong Sequence)> _relayed = [];
    readonly Queue<ulong> _relayOrder = new();
    ITimer? _timer;
    ulong _incarnation = incarnation;
    ulong _relaySequence;

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                var pid = context.Self;
                var root = context.System.Root;
                _timer = clock.Time.CreateTimer(_ => root.Send(pid, Tick.Instance), null, TickEvery, TickEvery);
                break;
            case Stopping or Restarting:
                _timer?.Dispose();
                break;
            case Tick:
                Act(context, detector.Tick(clock.NowMs));
                break;
            case WatchMembers watch:
                _incarnation = watch.OwnIncarnation;
                detector.SetMembers(watch.Snapshot.Members.Values);
                break;
            case Probe probe when probe.To == self.Value && context.Sender is not null:
                context.Respond(new ProbeAck { Subject = self.Value, Incarnation = _incarnation, Sequence = probe.Sequence });
                break;
            case IndirectProbe probe when probe.TargetAddress.Length > 0 && context.Sender is { } asker:
                Relay(context, probe, asker);
                break;
            case ProbeAck ack when (ack.Sequence & RelayBit) != 0:
                if (_relayed.Remove(ack.Sequence, out var asked))
                    context.Send(asked.Asker, new ProbeAck { Subject = ack.Subject, Incarnation = ack.Incarnation, Sequence = asked.Sequence });
                break;
            case ProbeAck ack:
                Act(context, detector.Receive(ack, clock.NowMs));
                break;
        }

        return Task.CompletedTask;
    }

    void Relay(IContext context, IndirectProbe probe, PID asker)
    {
        var sequence = RelayBit | ++_relaySequence;
        _relayed[sequence] = (asker, probe.Sequence);
        _relayOrder.Enqueue(sequence);
        if (_relayOrder.Count > MaxRelayed) _relayed.Remove(_relayOrder.Dequeue());
        context.Request(PID.FromAddress(probe.TargetAddress, Name), new Probe { From = self.Value, To = probe.Target, Sequence = sequence }, context.Self);
    }

    void Act(IContext context, IReadOnlyList<DetectorOutput> outputs)
    {
        foreach (var output in outputs)
        {
            switch (output)
            {
                case SendProbe send:
                    context.Request(PID.FromAddress(send.Address, Name), send.Probe, context.Self);
                    break;
                case SendIndirectProbe send:
                    context.Request(PID.FromAddress(send.RelayAddress, Name), send.Probe, context.Self);
                    break;
                default:
                    context.Send(membership, output);
                    break;
            }
        }
    }
}
