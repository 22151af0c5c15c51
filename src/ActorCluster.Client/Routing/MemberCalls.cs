using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using Proto;

namespace ActorCluster.Client.Routing;

/// <summary>Asks a well-known actor of any node: of the next one when a node does not answer, round after round until the deadline.</summary>
sealed class MemberCalls(IRootContext root, MemberDirectory directory, LostConnections connections, TimeSpan attemptTimeout, TimeProvider time)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    public MemberDirectory Directory => directory;

    /// <summary>The same, but of one node alone.</summary>
    public MemberCalls Only(string address) => new(root, new MemberDirectory([address]), connections, attemptTimeout, time);

    /// <exception cref="NotExecutedException">No node answered before the deadline; the message says what each one did.</exception>
    public async Task<T> AskAsync<T>(string actor, object message, CancellationToken deadline)
    {
        var pause = FirstPause;
        var troubles = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            while (true)
            {
                foreach (var address in directory.Candidates)
                {
                    deadline.ThrowIfCancellationRequested();
                    switch (await AttemptAsync(address, actor, message, deadline))
                    {
                        case T reply:
                            directory.Answered(address);
                            return reply;
                        case AdminFailure { Failure: { } failure }:
                            throw ClusterRequestException.From(failure, mayHaveHappened: false);
                        case Exception trouble:
                            directory.Failed(address);
                            troubles[address] = trouble is DeadLetterException ? "not reachable" : trouble.Message;
                            break;
                        case var other:
                            troubles[address] = $"answered {other?.GetType().Name ?? "nothing"} instead of {typeof(T).Name}";
                            break;
                    }
                }

                await Task.Delay(pause, time, deadline);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new NotExecutedException(ErrorCode.DeadlineExceeded, Describe(actor, troubles));
        }
    }

    async Task<object?> AttemptAsync(string address, string actor, object message, CancellationToken deadline)
    {
        using var attempt = new CancellationTokenSource(attemptTimeout, time);
        var lost = connections.TokenOf(address);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token, lost, deadline);
        try
        {
            return await root.RequestAsync<object>(PID.FromAddress(address, actor), message, either.Token);
        }
        catch (DeadLetterException e)
        {
            return e;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            deadline.ThrowIfCancellationRequested();
            return new TimeoutException(lost.IsCancellationRequested || e is UnknownOutcomeException ? "connection lost" : $"no answer within {attemptTimeout.TotalMilliseconds:0} ms");
        }
    }

    string Describe(string actor, Dictionary<string, string> troubles)
    {
        var text = new StringBuilder($"no node answered as '{actor}' in time:");
        foreach (var address in directory.Candidates)
            text.Append(' ').Append(address).Append(": ").Append(troubles.GetValueOrDefault(address, "not asked yet")).Append(';');
        return text.ToString().TrimEnd(';');
    }
}
