using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Keyspace.Tests;

public class RequestValidationTests
{
    static KvRequest Put(string key, int size = 1) => new() { Put = new KvPut { Key = key, Value = ByteString.CopyFrom(new byte[size]) } };

    [Theory]
    [InlineData(1024, 'k', true)]
    [InlineData(1025, 'k', false)]
    [InlineData(512, 'ü', true)]
    [InlineData(513, 'ü', false)]
    public void A_key_is_measured_in_bytes_of_utf8(int length, char c, bool valid)
    {
        var failure = RequestValidation.Check(Put(new string(c, length)));
        Assert.Equal(valid ? null : ErrorCode.KeyTooLong, failure?.Code);
        if (!valid) Assert.Contains("1024", failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_over_the_limit_is_refused_with_the_limit()
    {
        Assert.Null(RequestValidation.Check(Put("k", Limits.MaxValueBytes)));
        var failure = RequestValidation.Check(Put("k", Limits.MaxValueBytes + 1))!;
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.ValueTooLarge), (failure.Outcome, failure.Code));
        Assert.Contains("1048576", failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, KvRequest> Bad => new()
    {
        { "key", Put("") },
        { "op", new KvRequest() },
        { "session_id", With(new SessionRef { Sequence = 1 }) },
        { "sequence", With(new SessionRef { SessionId = 1 }) },
        { "lowest_pending", With(new SessionRef { SessionId = 1, Sequence = 2, LowestPending = 3 }) },
        { "label", new KvRequest { OpenSession = new OpenSession { Label = new string('x', 129) } } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_is_wrong_is_named(string field, KvRequest request)
    {
        var failure = RequestValidation.Check(request)!;
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.InvalidArgument), (failure.Outcome, failure.Code));
        Assert.Contains(field, failure.Message, StringComparison.Ordinal);
    }

    static KvRequest With(SessionRef session)
    {
        var request = Put("k");
        request.Session = session;
        return request;
    }

    [Fact]
    public void Requests_that_differ_in_operation_key_or_value_have_different_hashes()
    {
        KvRequest[] requests =
        [
            Put("a"), Put("b"), Put("a", 2), Put("a", 9), Put("ab"), Put("a", 8),
            new() { Delete = new KvDelete { Key = "a" } },
            new() { Delete = new KvDelete { Key = "b" } },
        ];
        Assert.Equal(requests.Length, requests.Select(Commands.HashOf).Distinct().Count());
        Assert.Equal(Commands.HashOf(Put("a")), Commands.HashOf(Put("a").Clone()));
        // Kept in logs and snapshots: a change here refuses repeats across an upgrade.
        Assert.Equal(GoldenPutHash, Commands.HashOf(Put("golden", 11)));
    }

    const ulong GoldenPutHash = 577838984407530040;
}
