namespace ActorCluster.Node.Startup;

/// <summary>What the process tells its supervisor.</summary>
public static class ExitCode
{
    /// <summary>A clean shutdown, help, or the version.</summary>
    public const int Ok = 0;

    /// <summary>The node could not start or go on; the log says why. Starting again may help.</summary>
    public const int Failed = 1;

    /// <summary>Settings are missing or wrong; all of them are named. Starting again does not help.</summary>
    public const int WrongSettings = 2;

    /// <summary>The disk failed a write or a sync, or its data is damaged. A person should look before it starts again.</summary>
    public const int StorageFailed = 3;
}
