using ActorCluster.Protocol.Admin;

namespace ActorCluster.Client.Routing;

/// <summary>The newest partition map that this client has heard of; read from any node when needed.</summary>
sealed class PartitionTableSource(MemberCalls calls)
{
    readonly SemaphoreSlim _one = new(1, 1);
    volatile PartitionTable? _table;

    public ValueTask<PartitionTable> GetAsync(CancellationToken ct) => _table is { } table ? new(table) : new(ReadAsync(newerThan: 0, ct));

    /// <summary>A map newer than the one that led to a WrongPartition answer.</summary>
    public async Task RefreshAsync(PartitionTable stale, CancellationToken ct) => await ReadAsync(stale.Version, ct);

    async Task<PartitionTable> ReadAsync(ulong newerThan, CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            if (_table is { } known && known.Version > newerThan) return known;
            var partitions = await calls.AskAsync<Partitions>(AdminClient.Actor, new GetPartitions(), ct);
            if (partitions.Partitions_.Count == 0)
                throw new NotExecutedException(Protocol.ErrorCode.NoQuorum, "the cluster has no partition map yet: it is still forming");
            var table = new PartitionTable(partitions);
            return table.Version > newerThan || _table is null ? _table = table : _table;
        }
        finally
        {
            _one.Release();
        }
    }
}
