using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// The operating system's files. Unbuffered handles with positional writes: <see cref="FileStream"/> buffers, has
/// skipped its first flush to disk (dotnet/runtime#99445), and memory maps hide write errors.
/// </summary>
public sealed class OsFileSystem : IFileSystem
{
    public static OsFileSystem Instance { get; } = new();

    public IStorageFile Open(string path, FileOpening mode) => new OsFile(path, mode);

    public bool FileExists(string path) => File.Exists(path);

    public void CreateDirectory(string path)
    {
        path = Path.GetFullPath(path);
        if (Directory.Exists(path)) return;
        var parent = Path.GetDirectoryName(path);
        if (parent is not null) CreateDirectory(parent);
        Directory.CreateDirectory(path);
        if (parent is not null) SyncDirectory(parent);
    }

    public IReadOnlyList<string> ListFiles(string directory)
    {
        if (!Directory.Exists(directory)) return [];
        var names = Directory.GetFiles(directory).Select(path => Path.GetFileName(path)).ToList();
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void SyncDirectory(string directory)
    {
        // Windows has no documented way to flush a directory; NTFS journals names by itself (docs/disk.md).
        if (!OperatingSystem.IsWindows()) UnixFile.SyncDirectory(directory);
    }

    public IDisposable Lock(string path)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX) on Unix: held by the handle, so it ends with the process.
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            throw new FileLockedException(path, e);
        }
    }

    sealed class OsFile(string path, FileOpening mode) : IStorageFile
    {
        readonly SafeFileHandle _handle = Open(path, mode);

        public long Length => RandomAccess.GetLength(_handle);

        public int Read(long offset, Span<byte> buffer)
        {
            var total = 0;
            while (total < buffer.Length)
            {
                var read = RandomAccess.Read(_handle, buffer[total..], offset + total);
                if (read == 0) break;
                total += read;
            }
            return total;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            try
            {
                RandomAccess.Write(_handle, bytes, offset);
            }
            catch (IOException e) when (IsDiskFull(e))
            {
                throw new DiskFullException(path, e);
            }
        }

        public void SetLength(long length) => RandomAccess.SetLength(_handle, length);

        public void Preallocate(long length)
        {
            try
            {
                if (OperatingSystem.IsLinux()) UnixFile.Preallocate(_handle, length, path);
                else if (Length < length) RandomAccess.SetLength(_handle, length);
            }
            catch (IOException e) when (IsDiskFull(e))
            {
                throw new DiskFullException(path, e);
            }
        }

        // fsync on Linux, F_FULLFSYNC on macOS, FlushFileBuffers on Windows.
        public void Sync() => RandomAccess.FlushToDisk(_handle);

        public void Dispose() => _handle.Dispose();

        static SafeFileHandle Open(string path, FileOpening mode)
        {
            try
            {
                return mode switch
                {
                    FileOpening.Read => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete),
                    FileOpening.ReadWrite => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete),
                    FileOpening.Create => File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete),
                    _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, message: null),
                };
            }
            catch (IOException e) when (IsDiskFull(e))
            {
                throw new DiskFullException(path, e);
            }
        }

        /// <summary>ENOSPC and EDQUOT on Unix; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.</summary>
        static bool IsDiskFull(IOException e) => OperatingSystem.IsWindows()
            ? (e.HResult & 0xffff) is 0x70 or 0x27
            : e.HResult == 28 || e.HResult == (OperatingSystem.IsMacOS() ? 69 : 122);
    }
}

/// <summary>The few calls that .NET does not offer: syncing a directory, reserving space.</summary>
static class UnixFile
{
    const int ReadOnly = 0;
    const int Interrupted = 4; // EINTR
    const int OperationNotSupported = 95; // EOPNOTSUPP on Linux

    public static void SyncDirectory(string directory)
    {
        int descriptor;
        do descriptor = Open(directory, ReadOnly | CloseOnExec);
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (descriptor < 0) throw Error("open", directory, Marshal.GetLastPInvokeError());
        try
        {
            // Not repeated when interrupted: a failed fsync may have dropped what it failed to write.
            if (Fsync(descriptor) != 0) throw Error("fsync", directory, Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    public static void Preallocate(SafeFileHandle handle, long length, string path)
    {
        int error;
        do error = PosixFallocate(handle, 0, length);
        while (error == Interrupted);
        if (error == OperationNotSupported)
        {
            if (RandomAccess.GetLength(handle) < length) RandomAccess.SetLength(handle, length);
        }
        else if (error != 0)
        {
            throw Error("posix_fallocate", path, error);
        }
    }

    static int CloseOnExec => OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    static IOException Error(string call, string path, int error) =>
        new($"{call} '{path}': {Marshal.GetPInvokeErrorMessage(error)} (errno {error})", error);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "posix_fallocate")]
    static extern int PosixFallocate(SafeFileHandle handle, long offset, long length);
}
