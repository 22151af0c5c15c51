namespace ActorCluster.Raft.Storage;

/// <summary>Something on disk is not as it must be. The node stops and says what and where.</summary>
public abstract class StorageException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Somebody else holds a lock.</summary>
public sealed class FileLockedException(string path, Exception? inner = null)
    : StorageException($"'{path}' is locked by another process.", inner)
{
    public string Path { get; } = path;
}
