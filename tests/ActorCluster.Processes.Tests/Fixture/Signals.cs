using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>POSIX signals to one process, by its id.</summary>
static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;

    public static int Stop => OperatingSystem.IsMacOS() ? 17 : 19;

    public static int Continue => OperatingSystem.IsMacOS() ? 19 : 18;

    public static void Send(int processId, int signal)
    {
        if (SendSignal(processId, signal) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), $"kill({processId}, {signal})");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    static extern int SendSignal(int processId, int signal);
}
