namespace Proto;

/// <summary>
/// Tokens that are cancelled after a time by the machine's clock. Calls with the same timeout at nearly the same time share a token: it may be up
/// to 2 % of its timeout late, and never early. Inside an actor system, the overloads that take a timeout follow the system's clock.
/// </summary>
public static class CancellationTokens
{
    private static readonly DeadlineTokens s_tokens = new(TimeProvider.System);

    public static CancellationToken FromSeconds(int seconds) => WithTimeout(TimeSpan.FromSeconds(seconds));

    public static CancellationToken WithTimeout(int milliseconds) => WithTimeout(TimeSpan.FromMilliseconds(milliseconds));

    public static CancellationToken WithTimeout(TimeSpan timeout) => s_tokens.After(timeout);
}
