namespace Proto.Cluster;

/// <summary>Checks of settings; each names the field and its limit when it refuses.</summary>
static class SettingLimits
{
    /// <summary>Timers of the runtime end at 49 days; nothing here has a reason to wait for longer than a day.</summary>
    public static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    public static void Name(string field, string? value, int maxChars)
    {
        if (string.IsNullOrEmpty(value) || value.Length > maxChars)
            throw new ClusterConfigException(field, value is null ? null : $"'{value}'", $"a name of 1 to {maxChars} characters");
    }

    public static void Time(string field, TimeSpan value, TimeSpan min)
    {
        if (value < min || value > LongestTime) throw new ClusterConfigException(field, value, $"between {min} and {LongestTime}");
    }

    public static void Number(string field, long value, long min, long max)
    {
        if (value < min || value > max) throw new ClusterConfigException(field, value, $"between {min} and {max}");
    }

    public static void Given(string field, object? value)
    {
        if (value is null) throw new ClusterConfigException(field, value, "given");
    }
}
