using System.Collections.Concurrent;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;
using Proto;
using Proto.Remote;
using Proto.Remote.GrpcNet;
using Failure = ActorCluster.Protocol.Failure;
using Member = ActorCluster.Protocol.Admin.Member;

namespace ActorCluster.Client.Tests;

/// <summary>How a node ends an attempt.</summary>
enum Answer
{
    /// <summary>Carries it out, or repeats the stored reply, and answers.</summary>
    Reply,

    /// <summary>Carries it out and loses the answer.</summary>
    LoseReply,

    /// <summary>Refuses: it does not lead.</summary>
    NotLeader,

    /// <summary>Refuses: no majority.</summary>
    NoQuorum,

    /// <summary>Does not know the session.</summary>
    SessionExpired,

    /// <summary>The grain's own code threw.</summary>
    GrainFailed,
}

/// <summary>
/// The other end of the wire: an actor system with real remoting whose actors keep sessions as a partition does, and end
/// each attempt as the test wants, which no healthy node does on demand.
/// </summary>
sealed class ScriptedNode : IAsyncDisposable
{
    readonly ActorSystem _system;
    readonly ConcurrentQueue<Answer> _script = new();
    readonly Dictionary<(ulong Session, ulong Sequence), long> _replies = [];
    readonly HashSet<PID> _subscribers = [];
    ulong _sessions;
    long _value;

    ScriptedNode(ActorSystem system)
    {
        _system = system;
        system.Root.SpawnNamed(Props.FromFunc(Admin), "admin");
        system.Root.SpawnNamed(Props.FromFunc(Grains), "grains");
        system.Root.SpawnNamed(Props.FromFunc(Partition), "kv/0@1.1.1");
        system.Root.SpawnNamed(Props.FromFunc(Partition), "counter/c@1.1.1");
    }

    public string Address => _system.Address;

    public ActorSystem System => _system;

    public Members Members { get; } = new() { Formed = true, ClusterId = "c" };

    /// <summary>Every attempt that arrived, as (session, sequence, lowest pending).</summary>
    public ConcurrentQueue<SessionRef> Attempts { get; } = new();

    public ConcurrentQueue<Locate> Located { get; } = new();

    public long Value => Interlocked.Read(ref _value);

    /// <summary>Completes when somebody has subscribed.</summary>
    public TaskCompletionSource Subscribed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<ScriptedNode> StartAsync(string name = "n1", ulong uid = 1)
    {
        var system = new ActorSystem();
        var config = GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(
            OutcomeReflection.Descriptor, MembershipReflection.Descriptor, KeyspaceReflection.Descriptor, GrainsReflection.Descriptor, AdminReflection.Descriptor);
        system.WithRemote(config);
        await system.Remote().StartAsync();
        var node = new ScriptedNode(system);
        node.Members.AnsweredBy = name;
        node.Members.Members_.Add(new Member { Uid = uid, Name = name, Address = node.Address, State = MemberState.Up, Incarnation = 1 });
        return node;
    }

    /// <summary>The next attempts end so; all after them are answered.</summary>
    public void Script(params Answer[] answers)
    {
        foreach (var answer in answers) _script.Enqueue(answer);
    }

    public async ValueTask DisposeAsync()
    {
        await _system.Remote().ShutdownAsync(graceful: false);
        await _system.DisposeAsync();
    }

    Task Admin(IContext context)
    {
        switch (context.Message)
        {
            case GetMembers:
                context.Respond(Members);
                break;
            case GetPartitions:
                context.Respond(new Partitions { Version = 1, ReplicationFactor = 1, Partitions_ = { new PartitionInfo { Partition = new Partition { Group = 1000, Generation = 1 } } } });
                break;
            case Subscribe when _subscribers.Add(context.Sender!) || true:
                context.Respond(new Subscribed { View = 1 });
                Subscribed.TrySetResult();
                break;
            case MembershipChanged change:
                foreach (var subscriber in _subscribers) context.Send(subscriber, change);
                break;
        }

        return Task.CompletedTask;
    }

    Task Grains(IContext context)
    {
        if (context.Message is not Locate locate) return Task.CompletedTask;
        Located.Enqueue(locate);
        var id = locate.Kind == "kv" ? "kv/0@1.1.1" : $"{locate.Kind}/{locate.Identity}@1.1.1";
        context.Respond(new Located { Address = Address, Id = id, Node = "n1", Active = true, MapVersion = 1, Epoch = new Epoch { Generation = 1, Term = 7, Activation = 1 } });
        return Task.CompletedTask;
    }

    Task Partition(IContext context)
    {
        switch (context.Message)
        {
            case KvRequest { OpCase: KvRequest.OpOneofCase.OpenSession }:
                context.Respond(new KvReply { SessionId = ++_sessions * 100 });
                break;
            case GrainCall call:
                Attempts.Enqueue(call.Session);
                Play(context, call);
                break;
        }

        return Task.CompletedTask;
    }

    void Play(IContext context, GrainCall call)
    {
        var answer = _script.TryDequeue(out var scripted) ? scripted : Answer.Reply;
        switch (answer)
        {
            case Answer.Reply:
                context.Respond(Execute(call));
                break;
            case Answer.LoseReply:
                Execute(call);
                break;
            case Answer.NotLeader:
                Refuse(context, ErrorCode.NotLeader, OutcomeKind.NotExecuted);
                break;
            case Answer.NoQuorum:
                Refuse(context, ErrorCode.NoQuorum, OutcomeKind.NotExecuted);
                break;
            case Answer.SessionExpired:
                Refuse(context, ErrorCode.SessionExpired, OutcomeKind.Unknown);
                break;
            case Answer.GrainFailed:
                Refuse(context, ErrorCode.GrainFailed, OutcomeKind.NotExecuted);
                break;
        }
    }

    GrainReply Execute(GrainCall call)
    {
        var key = (call.Session.SessionId, call.Session.Sequence);
        if (!_replies.TryGetValue(key, out var value))
            _replies[key] = value = Interlocked.Add(ref _value, CounterAdd.Parser.ParseFrom(call.Message).Amount);
        return new GrainReply { MessageType = CounterValue.Descriptor.FullName, Message = new CounterValue { Value = value }.ToByteString() };
    }

    static void Refuse(IContext context, ErrorCode code, OutcomeKind outcome) =>
        context.Respond(new GrainReply { Failure = new Failure { Code = code, Outcome = outcome, Message = "as the test wants" } });
}
