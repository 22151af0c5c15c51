namespace Proto;

/// <summary>Another process already has the name.</summary>
public sealed class ProcessNameExistException : Exception
{
    public ProcessNameExistException(string name, PID pid) : base($"a process with the name '{name}' exists already")
    {
        Name = name;
        Pid = pid;
    }

    public string Name { get; }

    /// <summary>The process that has the name.</summary>
    public PID Pid { get; }
}
