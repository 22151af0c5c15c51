using ActorCluster.Raft.Storage;

namespace ActorCluster.Tests;

/// <summary>The system's files, until <see cref="Hang"/>: from then on no sync ends, until it is released.</summary>
sealed class HangingDisk : IFileSystem
{
    readonly OsFileSystem _files = OsFileSystem.Instance;
    volatile TaskCompletionSource? _hanging;

    public void Hang() => _hanging = new TaskCompletionSource();

    public void Release() => _hanging?.TrySetResult();

    public IStorageFile Open(string path, FileOpening mode) => new HangingFile(_files.Open(path, mode), this);

    public bool FileExists(string path) => _files.FileExists(path);

    public void CreateDirectory(string path) => _files.CreateDirectory(path);

    public IReadOnlyList<string> ListFiles(string directory) => _files.ListFiles(directory);

    public void Rename(string from, string to) => _files.Rename(from, to);

    public void Delete(string path) => _files.Delete(path);

    public void SyncDirectory(string directory) => _files.SyncDirectory(directory);

    public IDisposable Lock(string path) => _files.Lock(path);

    sealed class HangingFile(IStorageFile file, HangingDisk disk) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> buffer) => file.Read(offset, buffer);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => file.Write(offset, bytes);

        public void SetLength(long length) => file.SetLength(length);

        public void Preallocate(long length) => file.Preallocate(length);

        public void Sync()
        {
            disk._hanging?.Task.Wait();
            file.Sync();
        }

        public void Dispose() => file.Dispose();
    }
}
