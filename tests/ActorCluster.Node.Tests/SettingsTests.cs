namespace ActorCluster.Node.Tests;

/// <summary>Row B84: what is missing or wrong is named, all of it at once, before anything starts.</summary>
public class SettingsTests
{
    static readonly Dictionary<string, string> Good = new(StringComparer.Ordinal)
    {
        ["Name"] = "n1",
        ["Listen"] = "127.0.0.1:4050",
        ["Http"] = "127.0.0.1:8080",
        ["Seeds"] = "127.0.0.1:4050, 127.0.0.1:4051",
        ["Expect"] = "3",
        ["DataDirectory"] = "somewhere",
    };

    static ActorClusterOptions Read(Dictionary<string, string> texts, out IReadOnlyList<OptionProblem> problems) =>
        ActorClusterSettings.Read(setting => texts.GetValueOrDefault(setting.Field), out problems);

    static Dictionary<string, string> With(params (string Field, string Text)[] changes)
    {
        var texts = new Dictionary<string, string>(Good, StringComparer.Ordinal);
        foreach (var (field, text) in changes) texts[field] = text;
        return texts;
    }

    [Fact]
    public void Everything_that_must_be_given_is_named_at_once()
    {
        Read([], out var problems);

        Assert.Equal(["Name", "Listen", "Seeds", "Expect", "DataDirectory"], problems.Select(p => p.Field));
        Assert.All(problems, p => Assert.Contains("is missing: give ", p.ToString(), StringComparison.Ordinal));
        Assert.Contains(problems, p => p.ToString().StartsWith("DataDirectory (--data) is missing", StringComparison.Ordinal));
    }

    [Fact]
    public void Unreadable_and_forbidden_values_are_named_together_once_per_field()
    {
        Read(With(("Listen", "nowhere"), ("Expect", "three"), ("Partitions", "0"), ("Tick", "50"), ("Seeds", "a:1,b,a:1")), out var problems);

        Assert.Equal(["Listen", "Seeds", "Seeds", "Expect", "Partitions", "Tick"], problems.Select(p => p.Field));
        Assert.Equal("Expect (--expect) is \"three\": give a whole number", problems[3].ToString());
        Assert.Equal("Partitions (--partitions) is \"0\": give 1 to 1024", problems[4].ToString());
    }

    [Fact]
    public void Good_settings_have_no_problem_and_keep_the_defaults()
    {
        var options = Read(Good, out var problems);

        Assert.Empty(problems);
        Assert.Equal(["127.0.0.1:4050", "127.0.0.1:4051"], options.Seeds);
        Assert.Equal((16, 3, 10_000), (options.Partitions, options.ReplicationFactor, options.SnapshotEntries));
        Assert.Equal("127.0.0.1:4050", options.AdvertisedAddress);
    }

    [Fact]
    public void An_address_that_nobody_can_call_needs_another_to_advertise()
    {
        Read(With(("Listen", "0.0.0.0:4050")), out var problems);
        Assert.Equal("Advertise", Assert.Single(problems).Field);

        Read(With(("Listen", "0.0.0.0:4050"), ("Advertise", "node-1.example:4050")), out problems);
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("ElectionTicksMin", "5", "HeartbeatTicks")] // below three heartbeats
    [InlineData("GracePeriod", "10ms", "1s")]
    [InlineData("Http", "127.0.0.1:4050", "another port")]
    [InlineData("Name", "has space", "A-Z")]
    [InlineData("ReplicationFactor", "9", "7")]
    public void A_wrong_value_is_answered_with_what_is_allowed(string field, string text, string allowed)
    {
        Read(With((field, text)), out var problems);

        var problem = Assert.Single(problems);
        Assert.Equal((field, text), (problem.Field, problem.Value));
        Assert.Contains(allowed, problem.Allowed, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_settings_covers_every_option_and_its_defaults_read_back()
    {
        var options = new ActorClusterOptions();
        var settable = typeof(ActorClusterOptions).GetProperties().Where(p => p.SetMethod is not null).Select(p => p.Name);
        Assert.Equal(settable.Order(StringComparer.Ordinal), ActorClusterSettings.All.Select(s => s.Field).Order(StringComparer.Ordinal));

        foreach (var setting in ActorClusterSettings.All.Where(s => s.Placeholder is "N" or "TIME" && s.Default.Length > 0))
        {
            var property = typeof(ActorClusterOptions).GetProperty(setting.Field)!;
            var before = property.GetValue(options);
            Assert.True(setting.Set(options, setting.Default));
            Assert.Equal(before, property.GetValue(options));
        }
    }

    [Fact]
    public void What_others_call_is_never_an_address_that_nobody_can_call()
    {
        var options = Read(With(("Listen", "0.0.0.0:4050"), ("Advertise", "pod-1:4050"), ("Http", "0.0.0.0:8080")), out _);
        Assert.Equal(("pod-1:4050", "pod-1:8080"), (options.AdvertisedAddress, options.AdvertisedHttp));
        options = Read(Good, out _);
        Assert.Equal("127.0.0.1:8080", options.AdvertisedHttp);
    }

    [Fact]
    public void A_copy_has_every_setting()
    {
        var options = new ActorClusterOptions { Name = "n1", Seeds = ["a:1"], Tick = TimeSpan.FromSeconds(1), Partitions = 7 };
        var copy = new ActorClusterOptions();
        options.CopyTo(copy);
        Assert.Equivalent(options, copy, strict: true);
    }

    [Theory]
    [InlineData("[::1]:80", "::1", 80)]
    [InlineData("node-1.svc:4050", "node-1.svc", 4050)]
    public void Host_and_port_are_read_and_written_back(string text, string host, int port)
    {
        Assert.True(HostPort.TryParse(text, out var place));
        Assert.Equal(new HostPort(host, port), place);
        Assert.Equal(text, place.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData("host:")]
    [InlineData(":80")]
    [InlineData("host:65536")]
    [InlineData("ho st:80")]
    [InlineData("::1:80")]
    public void What_is_not_host_and_port_is_refused(string text) => Assert.False(HostPort.TryParse(text, out _));
}
