using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Tests.Interaction;

/// <summary>
/// N cores, a network that is a list of messages, disks, and every step explicit. What happens is written to a trace. After every
/// step the safety properties of the paper's figure 3 are checked.
/// </summary>
sealed class World
{
    readonly List<RaftMessage> _network = [];
    readonly Dictionary<ulong, SnapshotState> _snapshotStates = [];
    readonly Dictionary<ulong, ulong> _leaderOfTerm = [];
    readonly Dictionary<ulong, Entry> _committed = [];
    readonly HashSet<ulong> _cut = [];

    readonly GroupConfig _initial;
    readonly Func<RaftConfig, RaftConfig>? _configure;
    readonly Xoshiro256 _random;

    public World(GroupConfig members, Func<RaftConfig, RaftConfig>? configure = null, ulong seed = 1)
    {
        _initial = members;
        _configure = configure;
        _random = new Xoshiro256(seed);
        foreach (var uid in members.Voters.Concat(members.Learners)) AddNode(uid);
    }

    public static World OfVoters(int voters, Func<RaftConfig, RaftConfig>? configure = null, ulong seed = 1)
    {
        var members = new GroupConfig();
        for (var uid = 1; uid <= voters; uid++) members.Voters.Add((ulong)uid);
        return new World(members, configure, seed);
    }

    public SortedDictionary<ulong, Replica> Replicas { get; } = [];
    public Action<string> Trace { get; set; } = _ => { };
    public IReadOnlyList<RaftMessage> Network => _network;
    public Replica this[ulong uid] => Replicas[uid];
    public RaftNode Core(ulong uid) => Replicas[uid].Core;

    /// <summary>The only leader that is up, or null.</summary>
    public Replica? Leader => Replicas.Values.Where(r => r.Up && r.Core.Role == RaftRole.Leader).MaxBy(r => r.Core.Term);

    /// <summary>A node with an empty disk: its replica knows the group's first configuration, as every node does, and waits to be found.</summary>
    public void AddNode(ulong uid)
    {
        var config = new RaftConfig(new GroupId(7), new NodeUid(uid));
        Replicas.Add(uid, new Replica(_configure?.Invoke(config) ?? config, _initial, _random.Split(uid)));
    }

    public void Cut(ulong uid) => _cut.Add(uid);

    public void Heal() => _cut.Clear();

    /// <summary>Takes one Ready of a replica: messages go to the network, storage and apply work waits.</summary>
    public void TakeReady(ulong uid)
    {
        var replica = Replicas[uid];
        var ready = replica.TakeReady();
        if (ready.LeadershipChange is { } change)
            Trace($"{uid}: {change.Role} t{change.Term} leader={(change.Leader.IsNone ? "-" : change.Leader.Value)}");
        if (ready.SnapshotToInstall is { } meta)
        {
            replica.Install(meta, _snapshotStates[meta.Index].State);
            Trace($"{uid}: installs snapshot {meta.Term}/{meta.Index}");
        }

        foreach (var message in ready.Messages) Post(message);
        if (ready.Write is { } write) Trace($"{uid}: writes #{write.Sequence}{WriteText(write)}");
        if (ready.Committed.Count > 0) Trace($"{uid}: committed {string.Join(", ", ready.Committed.Select(MessageText.Of))}");
        foreach (var read in ready.Reads) Trace($"{uid}: read {read.ReadId} {(read.Rejected ? "rejected" : $"at {read.Index}")}");
        foreach (var snapshot in ready.SnapshotsToSend) PostSnapshot(replica, snapshot);
        CheckSafety();
    }

    static string WriteText(StorageWrite write)
    {
        var parts = "";
        if (write.Log.HardState is { } h) parts += $" term={h.Term} vote={h.Vote.Value} commit={h.Commit}";
        if (write.Log.Snapshot is { } s) parts += $" snapshot={s.Term}/{s.Index}";
        if (write.Log.Entries.Count > 0) parts += $" [{string.Join(", ", write.Log.Entries.Select(MessageText.Of))}]";
        return parts;
    }

    void Post(RaftMessage message)
    {
        Trace($"  {MessageText.Of(message)}");
        _network.Add(message);
    }

    void PostSnapshot(Replica from, SnapshotToSend snapshot)
    {
        // The content that the sender's store holds for it.
        _snapshotStates[snapshot.Meta.Index] = new SnapshotState([.. from.Disk.SnapshotState]);
        Post(new RaftMessage
        {
            Group = 7,
            From = from.Uid,
            To = snapshot.To.Value,
            Term = from.Core.Term,
            InstallSnapshot = new InstallSnapshot { Meta = snapshot.Meta, Done = true },
        });
    }

    /// <summary>Delivers messages that match; each once, unless they are kept for a second time.</summary>
    public int Deliver(Func<RaftMessage, bool> which, bool keep = false)
    {
        var batch = _network.Where(which).ToList();
        if (!keep) _network.RemoveAll(batch.Contains);
        foreach (var message in batch)
        {
            if (!Replicas.TryGetValue(message.To, out var to) || !to.Up || _cut.Contains(message.To) || _cut.Contains(message.From)) continue;
            to.Core.Step(message);
            if (message.BodyCase == RaftMessage.BodyOneofCase.InstallSnapshot && Replicas[message.From].Up)
                Replicas[message.From].Core.SnapshotSent(to.Core.Self, delivered: true);
            CheckSafety();
        }

        return batch.Count;
    }

    public int Drop(Func<RaftMessage, bool> which) => _network.RemoveAll(m => which(m));

    public bool CompleteWrite(ulong uid)
    {
        var write = Replicas[uid].CompleteWrite();
        if (write is null) return false;
        Trace($"{uid}: durable #{write.Sequence}");
        CheckSafety();
        return true;
    }

    public bool Apply(ulong uid)
    {
        var entries = Replicas[uid].Apply();
        if (entries.Count == 0) return false;
        Trace($"{uid}: applied {entries[^1].Index}");
        return true;
    }

    /// <summary>Lets the named replicas (all, when none is named) finish everything that needs no time.</summary>
    public void Stabilize(params ulong[] uids) => Stabilize(_ => true, uids);

    /// <summary>The same, but messages that do not match stay in the network.</summary>
    public void Stabilize(Func<RaftMessage, bool> which, params ulong[] uids)
    {
        var set = uids.Length == 0 ? [.. Replicas.Keys] : uids.ToHashSet();
        for (var round = 0; ; round++)
        {
            Assert.True(round < 1000, "the replicas do not come to rest");
            var busy = false;
            foreach (var uid in set.Order().Where(u => Replicas[u].Up))
            {
                if (Core(uid).HasReady)
                {
                    TakeReady(uid);
                    busy = true;
                }
            }

            foreach (var uid in set.Order().Where(u => Replicas[u].Up))
            {
                while (CompleteWrite(uid)) busy = true;
                while (Apply(uid)) busy = true;
            }

            if (Deliver(m => set.Contains(m.To) && set.Contains(m.From) && which(m)) > 0) busy = true;
            if (!busy) return;
        }
    }

    public void Tick(ulong uid, int count = 1)
    {
        for (var i = 0; i < count; i++) Core(uid).Tick();
        CheckSafety();
    }

    /// <summary>Ticks a replica until it stands for election; nobody else's time passes.</summary>
    public void Campaign(ulong uid)
    {
        for (var i = 0; i < 100 && Core(uid).Role is RaftRole.Follower or RaftRole.Learner; i++) Core(uid).Tick();
        CheckSafety();
    }

    /// <summary>Makes a replica the leader, with everybody's help.</summary>
    public void Elect(ulong uid)
    {
        // The lease of others against elections passes with time.
        foreach (var other in Replicas.Values.Where(r => r.Up && r.Uid != uid && r.Core.Role != RaftRole.Leader)) LetLeasePass(other.Core);
        Campaign(uid);
        Stabilize();
        Assert.Equal(RaftRole.Leader, Core(uid).Role);
    }

    static void LetLeasePass(RaftNode core)
    {
        for (var i = 0; i < 10; i++) core.Tick();
    }

    public ProposalReceipt Propose(ulong uid, string command) => Core(uid).Propose(ByteString.CopyFromUtf8(command));

    /// <summary>Paper, figure 3.</summary>
    public void CheckSafety()
    {
        foreach (var replica in Replicas.Values.Where(r => r.Up))
        {
            var core = replica.Core;

            // What counts votes is the newest configuration of the log, also after a truncation.
            Assert.True(core.Config.Voters.SequenceEqual(core.Voters.Select(v => v.Value)), $"{replica.Uid} has {core.Config}, counts {string.Join(", ", core.Voters)}");
            if (core.Role == RaftRole.Leader)
            {
                // Election safety.
                Assert.True(_leaderOfTerm.TryAdd(core.Term, replica.Uid) || _leaderOfTerm[core.Term] == replica.Uid, $"two leaders in term {core.Term}");
            }

            // State machine safety: nobody ever commits another entry at an index.
            for (var index = core.CommitIndex; index >= core.FirstIndex; index--)
            {
                var entry = core.EntryAt(index)!;
                if (!_committed.TryGetValue(index, out var known))
                {
                    _committed[index] = entry;
                    continue;
                }

                Assert.True(known.Equals(entry), $"{replica.Uid} committed {MessageText.Of(entry)}, another replica {MessageText.Of(known)}");
                if (ReferenceEquals(known, entry)) break;
            }
        }

        // Faults B1, A2, A3: whatever is committed is on the disks of a quorum.
        if (Replicas.Values.Where(r => r.Up).MaxBy(r => r.Core.CommitIndex) is not { Core.CommitIndex: > 0 } ahead) return;
        var highest = ahead.Core.CommitIndex;
        var config = ahead.Core.ConfigAt(highest);
        var holders = Replicas.Values.Where(r => r.Disk.LastIndex >= highest).Select(r => r.Uid).ToHashSet();

        // Under the entry that leaves a joint configuration, which may follow it in the leader's log, the new voters decide alone.
        var isOnQuorum = IsMajority(config.Voters, holders) && (config.OutgoingVoters.Count == 0 || LeavesJoint(highest) || IsMajority(config.OutgoingVoters, holders));
        Assert.True(isOnQuorum, $"entry {highest} is committed under {config}, but only on the disks {string.Join(", ", holders.Order())}");
    }

    bool LeavesJoint(ulong after) => Replicas.Values.Any(r => r.Up && Enumerable
        .Range((int)after + 1, (int)(Math.Max(after, r.Core.LastIndex) - after))
        .Any(index => r.Core.EntryAt((ulong)index) is { Kind: EntryKind.Config }));

    static bool IsMajority(IReadOnlyCollection<ulong> voters, HashSet<ulong> holders) =>
        voters.Count(holders.Contains) >= QuorumMath.Majority(voters.Count);

    sealed record SnapshotState(IReadOnlyList<string> State);
}
