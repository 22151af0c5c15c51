using System.Text.RegularExpressions;
using Proto.Remote.Transport;

namespace Proto.Remote.GrpcNet;

/// <summary>The calls <c>ListProcesses</c> and <c>GetProcessDiagnostics</c>: what actors live here, and what one of them says about itself.</summary>
sealed class ProcessDiagnostics(ActorSystem system, bool isEnabled)
{
    const int MaxPatternLength = 1024;

    /// <summary>So that an answer stays under the 4 MB that gRPC's clients take by default.</summary>
    const int MaxProcesses = 10_000;

    static readonly TimeSpan TimeToMatchOneName = TimeSpan.FromMilliseconds(50);

    public async Task ListAsync(IServerCall call)
    {
        ThrowIfOff();
        var request = await call.ReadAsync(ListProcessesRequest.Parser);
        await call.AnswerAsync(new ListProcessesResponse { Pids = { Matching(request) } });
    }

    public async Task DescribeAsync(IServerCall call)
    {
        ThrowIfOff();
        var pid = (await call.ReadAsync(GetProcessDiagnosticsRequest.Parser)).Pid;
        if (pid is null || pid.Id.Length == 0) throw new GrpcException(GrpcStatusCode.InvalidArgument, "pid is missing");
        if (!string.Equals(pid.Address, system.Address, StringComparison.Ordinal))
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"pid is at {pid.Address}, and this is {system.Address}");
        await call.AnswerAsync(new GetProcessDiagnosticsResponse { DiagnosticsString = await DescribeAsync(pid) });
    }

    async Task<string> DescribeAsync(PID pid)
    {
        try
        {
            return await DiagnosticTools.GetDiagnosticsString(system, pid);
        }
        catch (DeadLetterException gone)
        {
            throw new GrpcException(GrpcStatusCode.NotFound, $"no process {pid.ToDiagnosticString()}", gone);
        }
        catch (TimeoutException busy)
        {
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, $"{pid.ToDiagnosticString()} is busy with one message for too long", busy);
        }
    }

    List<PID> Matching(ListProcessesRequest request)
    {
        try
        {
            var found = system.ProcessRegistry.Find(Matcher(request)).Take(MaxProcesses + 1).ToList();
            if (found.Count > MaxProcesses)
                throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"more than {MaxProcesses} processes match: narrow the pattern");
            found.Sort((one, other) => string.CompareOrdinal(one.Id, other.Id));
            return found;
        }
        catch (RegexMatchTimeoutException slow)
        {
            throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"pattern takes longer than {TimeToMatchOneName.TotalMilliseconds} ms for one name", slow);
        }
    }

    void ThrowIfOff()
    {
        if (!isEnabled)
            throw new GrpcException(GrpcStatusCode.Unimplemented, "RemoteDiagnostics is off here: WithRemoteDiagnostics(true) offers this call");
    }

    static Func<string, bool> Matcher(ListProcessesRequest request)
    {
        var pattern = request.Pattern;
        if (pattern.Length > MaxPatternLength)
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"pattern has {pattern.Length} characters: at most {MaxPatternLength}");
        return request.Type switch
        {
            ListProcessesMatchType.MatchPartOfString => id => id.Contains(pattern, StringComparison.OrdinalIgnoreCase),
            ListProcessesMatchType.MatchExactString => id => string.Equals(id, pattern, StringComparison.OrdinalIgnoreCase),
            ListProcessesMatchType.MatchRegex => Expression(pattern).IsMatch,
            var unknown => throw new GrpcException(GrpcStatusCode.InvalidArgument, $"type {(int)unknown} is unknown"),
        };
    }

    /// <summary>The expression comes from outside: an engine whose time grows with the name's length only.</summary>
    static Regex Expression(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeToMatchOneName);
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"pattern is no expression that can be used here: {wrong.Message}", wrong);
        }
    }
}
