namespace Proto.Remote;

/// <summary>Values of <see cref="ActorPidResponse.StatusCode"/>.</summary>
public enum ResponseStatusCode
{
    OK = 0,
    ProcessNameAlreadyExist = 1,
    Error = 2,
}
