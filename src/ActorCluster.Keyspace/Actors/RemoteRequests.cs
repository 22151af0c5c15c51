using System.Collections.Concurrent;
using Proto;
using Proto.Remote;

namespace ActorCluster.Keyspace.Actors;

/// <summary>An answer, or why there is none (then nothing is known of what the target did).</summary>
public readonly record struct Asked<T>(T? Reply, string Why)
    where T : class;

/// <summary>
/// Asks actors of other nodes: each question ends with an answer, after its time, or as soon as the connection to the
/// target's node breaks. Safe to call from any thread.
/// </summary>
public sealed class RemoteRequests : IDisposable
{
    readonly ActorSystem _system;
    readonly DeadlineTokens _deadlines;
    readonly ConcurrentDictionary<string, CancellationTokenSource> _connections = new(StringComparer.Ordinal);
    readonly EventStreamSubscription<object> _events;

    public RemoteRequests(ActorSystem system, DeadlineTokens deadlines)
    {
        _system = system;
        _deadlines = deadlines;
        _events = system.EventStream.Subscribe<EndpointTerminatedEvent>(ended =>
        {
            if (ended.Address is { } address && _connections.TryRemove(address, out var connection)) connection.Cancel();
        });
    }

    public void Dispose() => _events.Unsubscribe();

    /// <summary>Asks.</summary>
    /// <param name="target">Whom.</param>
    /// <param name="message">What.</param>
    /// <param name="timeout">How long this attempt may take.</param>
    /// <param name="ct">The deadline of the whole.</param>
    public async ValueTask<Asked<T>> AskAsync<T>(PID target, object message, TimeSpan timeout, CancellationToken ct) where T : class
    {
        var lost = _connections.GetOrAdd(target.Address, static _ => new CancellationTokenSource()).Token;
        try
        {
            var reply = await _system.Root.RequestAsync<T>(target, message, _deadlines.After(timeout)).WaitAsync(lost).WaitAsync(ct);
            return new Asked<T>(reply, "");
        }
        catch (DeadLetterException)
        {
            return Nothing("was not there, or the connection to it broke");
        }
        catch (UnknownOutcomeException)
        {
            return Nothing("was cut off: the connection broke");
        }
        catch (TimeoutException)
        {
            return Nothing($"did not answer within {timeout.TotalMilliseconds:0} ms");
        }
        catch (OperationCanceledException)
        {
            return Nothing(lost.IsCancellationRequested ? "was cut off: the connection broke" : "did not answer before the deadline");
        }

        Asked<T> Nothing(string why) => new(null, $"{target.Id} at {target.Address} {why}");
    }
}
