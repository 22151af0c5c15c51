namespace Proto.Router;

/// <summary>A message that says what a consistent-hash router shall route it by.</summary>
public interface IHashable
{
    string HashBy();
}
