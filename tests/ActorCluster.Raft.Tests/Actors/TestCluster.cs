using System.Collections.Concurrent;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Proto;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace ActorCluster.Raft.Tests.Actors;

/// <summary>Nodes of one process that talk over loopback and keep their logs in a directory of their own.</summary>
sealed class TestCluster : IAsyncDisposable
{
    public static readonly GroupId Group = new(1000);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly string _directory = Directory.CreateTempSubdirectory("raft-actors-").FullName;
    readonly GroupConfig _config = new();
    readonly RaftOptions _options;
    readonly AddressBook _addresses = new();
    readonly SortedDictionary<ulong, TestNode> _nodes = [];

    public TestCluster(int nodes, RaftOptions? options = null)
    {
        _options = (options ?? new RaftOptions()) with { ScratchDirectory = Path.Combine(_directory, "scratch") };
        for (var uid = 1; uid <= nodes; uid++) _config.Voters.Add((ulong)uid);
    }

    public IEnumerable<TestNode> Nodes => _nodes.Values;

    public static CancellationToken Soon() => new CancellationTokenSource(Patience).Token;

    public static async Task<TestCluster> StartAsync(int nodes, RaftOptions? options = null)
    {
        var cluster = new TestCluster(nodes, options);
        for (var uid = 1; uid <= nodes; uid++) await cluster.StartNodeAsync((ulong)uid);
        return cluster;
    }

    public async Task<TestNode> StartNodeAsync(ulong uid, Func<ILogWriter, ILogWriter>? decorate = null)
    {
        var node = await TestNode.StartAsync(new NodeUid(uid), Path.Combine(_directory, $"node-{uid}"), _config, _options, _addresses, decorate);
        _nodes[uid] = node;
        return node;
    }

    /// <summary>A test plays the part of a voter itself, at this address.</summary>
    public void Impersonate(ulong uid, string address) => _addresses.Set(new NodeUid(uid), address);

    /// <summary>Waits until some node leads and has applied the no-op of its term.</summary>
    public async Task<TestNode> LeaderAsync(params TestNode[] except)
    {
        var candidates = Nodes.Where(n => n.Up && !except.Contains(n)).ToArray();
        var waits = candidates.Select(n => n.WhenAsync(s => s.LeaderReady)).ToArray();
        var first = await Task.WhenAny(waits).WaitAsync(Soon());
        await first;
        return candidates[Array.IndexOf(waits, first)];
    }

    /// <summary>Proposes until it is committed, wherever the leader is; only what certainly had no effect is tried again.</summary>
    public async Task<ProposalResult> WriteAsync(string word)
    {
        var ct = Soon();
        while (true)
        {
            var leader = await LeaderAsync();
            var result = await leader.Replica.ProposeAsync(ByteString.CopyFromUtf8(word), ct);
            if (result.Outcome != ProposalOutcome.NotExecuted) return result;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes.Where(n => n.Up)) await node.KillAsync();
        Directory.Delete(_directory, recursive: true);
    }

    sealed class AddressBook : INodeDirectory
    {
        readonly ConcurrentDictionary<NodeUid, string> _addresses = [];

        public string? AddressOf(NodeUid uid) => _addresses.GetValueOrDefault(uid);

        public void Set(NodeUid uid, string address) => _addresses[uid] = address;
    }

    /// <summary>One node: actor system, remoting, log, host, one replica.</summary>
    public sealed class TestNode
    {
        readonly ActorSystem _system;
        readonly LogWriter _writer;
        readonly ConcurrentDictionary<Guid, Action> _statusWaiters = [];

        TestNode(ActorSystem system, LogWriter writer, RaftHost host, IReplicaGroup replica)
        {
            _system = system;
            _writer = writer;
            Host = host;
            Replica = replica;
            _system.EventStream.Subscribe<GroupLeadershipChanged>(_ => Notify());
        }

        public RaftHost Host { get; }
        public IReplicaGroup Replica { get; }
        public NodeUid Uid => Host.Self;
        public bool Up { get; private set; } = true;
        public string Address => _system.Address;
        public PID Actor => PID.FromAddress(_system.Address, RaftHost.ActorName(Group));

        /// <summary>Puts a message into the group actor's mailbox.</summary>
        public void Post(object message) => _system.Root.Send(Actor, message);

        internal static async Task<TestNode> StartAsync(
            NodeUid uid, string directory, GroupConfig config, RaftOptions options, INodeDirectory addresses, Func<ILogWriter, ILogWriter>? decorate)
        {
            var system = new ActorSystem().WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(RaftReflection.Descriptor));
            await system.Remote().StartAsync();
            ((AddressBook)addresses).Set(uid, system.Address);
            var storage = NodeStorage.Open(new OsFileSystem(), directory);
            var writer = new LogWriter(storage.Log);
            var host = new RaftHost(
                system, uid, decorate?.Invoke(writer) ?? writer, storage.Snapshots, addresses, options, TimeProvider.System,
                new Xoshiro256(uid.Value * 31 + (ulong)storage.Groups.Count), NullLoggerFactory.Instance);
            var recovered = storage.Groups.FirstOrDefault(g => g.Group == Group);
            var replica = recovered is null ? host.Start(Group, config, () => new WordList()) : host.Start(recovered, () => new WordList());
            return new TestNode(system, writer, host, replica);
        }

        /// <summary>Linearizable, wherever it is asked.</summary>
        public async Task<IReadOnlyList<string>> ReadAsync()
        {
            var ct = Soon();
            while (true)
            {
                var result = await Replica.ReadAsync(m => ((WordList)m).Words.ToArray(), ct);
                if (result.Ok) return result.Value!;
                Assert.False(ct.IsCancellationRequested, $"{Uid}: {result.Error} {result.Message}");
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, ct);
            }
        }

        /// <summary>Waits until a leadership event shows what is asked for.</summary>
        public async Task WhenAsync(Func<GroupStatus, bool> reached)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var id = Guid.NewGuid();
            void Check()
            {
                if (reached(Replica.Status)) done.TrySetResult();
            }

            _statusWaiters[id] = Check;
            Check();
            try
            {
                await done.Task.WaitAsync(Soon());
            }
            finally
            {
                _statusWaiters.TryRemove(id, out _);
            }
        }

        void Notify()
        {
            foreach (var waiter in _statusWaiters.Values) waiter();
        }

        /// <summary>As close to a killed process as one process allows: no farewell, nothing handed over.</summary>
        public async Task KillAsync()
        {
            Up = false;
            await _system.Remote().ShutdownAsync(graceful: false);
            await _system.Root.StopAsync(PID.FromAddress(_system.Address, RaftHost.ActorName(Group)));
            await Host.StopAsync();
            _writer.Dispose();
            await _system.DisposeAsync();
        }

        /// <summary>An orderly stop.</summary>
        public async Task StopAsync()
        {
            Up = false;
            await Host.StopAsync();
            await _system.Remote().ShutdownAsync();
            _writer.Dispose();
            await _system.DisposeAsync();
        }
    }
}
