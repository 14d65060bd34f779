using Dunlin.Agent.Configuration;
using Dunlin.Contracts.Race;

namespace Dunlin.Agent.Tests.Configuration;

public sealed class AgentConfigurationTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"dunlin-agent-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void TheFileThenTheCommandLineCounts()
    {
        File.WriteAllText(_file, """{ "Device": { "Id": "press-4" }, "Race": { "Objective": "energy", "BudgetSeconds": 5 } }""");
        var options = AgentOptions.Load(_file, ["Race:BudgetSeconds=7"]);

        Assert.Equal("press-4", options.Device.Id);
        Assert.Equal((Objective.Energy, 7), (options.Race.Objective, options.Race.BudgetSeconds));
    }

    [Fact]
    public void AnEmptyHostMeansThatThereIsNoBrokerWhereverItStands()
    {
        Assert.Equal("", AgentOptions.Load(null, ["Mqtt:Host="]).Mqtt.Host);
        File.WriteAllText(_file, """{ "Mqtt": { "Host": "" } }""");
        Assert.Equal("", AgentOptions.Load(_file, []).Mqtt.Host);
        Assert.Equal("later", AgentOptions.Load(_file, ["Mqtt:Host=later"]).Mqtt.Host);
        Assert.Equal("localhost", AgentOptions.Load(null, []).Mqtt.Host);
    }

    [Fact]
    public void AValueOutOfRangeIsNamedWithKeyValueAndRule()
    {
        var e = Refused("Camera:Width=5", "Device:Id=Press 4");
        Assert.Equal(
            [
                "Camera:Width must be between 16 and 8192; it is '5'.",
                "Device:Id must be 1 to 63 lower-case letters, digits and hyphens, the first no hyphen; it is 'Press 4'.",
            ],
            e.Message.Split(Environment.NewLine).Order());
    }

    [Theory]
    [InlineData("/dev/video0")]
    [InlineData("rpicam:0")]
    [InlineData("rtsp://cam/belt")]
    public void ACameraSlowerThanItsStallIsRefused(string source)
    {
        Assert.Equal(
            "Camera:FramesPerSecond must bring two frames within Camera:StallMilliseconds, now 3000, or every wait for a frame counts as a stall; set that to 6667 or more; it is '0.3'.",
            Refused($"Camera:Source={source}", "Camera:FramesPerSecond=0.3").Message);
        AgentOptions.Load(null, [$"Camera:Source={source}", "Camera:FramesPerSecond=0.3", "Camera:StallMilliseconds=6667"]);
        AgentOptions.Load(null, [$"Camera:Source={source}", "Camera:StallMilliseconds=200"]);
    }

    [Fact]
    public void AFolderMayBeAsSlowAsItLikes() => AgentOptions.Load(null, ["Camera:Source=/srv/images", "Camera:FramesPerSecond=0.1"]);

    [Fact]
    public void AWindowOfMoreReadingsThanAreKeptIsRefused()
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, ["Telemetry:WindowSeconds=51", "Power:SamplesPerSecond=1000"]));
        Assert.Equal("Telemetry:WindowSeconds must hold at most 50000 readings at Power:SamplesPerSecond; it is '51'.", e.Message);
        Assert.Equal(50, AgentOptions.Load(null, ["Telemetry:WindowSeconds=50", "Power:SamplesPerSecond=1000"]).Telemetry.WindowSeconds);
        Assert.Equal(3600, AgentOptions.Load(null, ["Telemetry:WindowSeconds=3600"]).Telemetry.WindowSeconds);
        Assert.DoesNotContain("Telemetry", Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, ["Power:SamplesPerSecond=-1"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt://b:1883", "mqtt://b:1883")]
    [InlineData("mqtt://me:s3cret@b", "mqtt://***@b")]
    [InlineData("me:s3cret@b", "***@b")]
    [InlineData("b:1883", "b:1883")]
    [InlineData("b/mqtt", "b/mqtt")]
    [InlineData("[::1]:1883", "[::1]:1883")]
    public void ABrokersHostStandsAlone(string host, string shown)
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, [$"Mqtt:Host={host}"]));
        Assert.Equal($"Mqtt:Host must be a name or an address alone, without scheme, port and path, as in Mqtt:Host=broker.example and Mqtt:Port=1883; it is '{shown}'.", e.Message);
    }

    [Theory]
    [InlineData("broker.plant-a.example")]
    [InlineData("mqtt_broker")]
    [InlineData("10.0.0.5")]
    [InlineData("::1")]
    [InlineData("fe80::5054:ff:fe12:3456%2")]
    [InlineData("[2001:db8::7]")]
    public void ANameOrAnAddressIsAHost(string host) => Assert.Equal(host, AgentOptions.Load(null, [$"Mqtt:Host={host}"]).Mqtt.Host);

    [Fact]
    public void AValueOfTheWrongTypeIsNamed()
    {
        var e = Refused("Camera:Width=wide");
        Assert.Contains("Camera:Width", e.Message, StringComparison.Ordinal);
        Assert.Contains("wide", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Camera:Encoding", "foo", "write auto, motionJpeg, other.")]
    [InlineData("Race:Objective", "fast", "write latency, energy, product.")]
    [InlineData("Power:Kind", "ina", "write auto, none, ina219,")]
    [InlineData("Camera:Width", "wide", "write a whole number.")]
    [InlineData("Power:IdleWatts", "much", "write a number.")]
    [InlineData("Camera:Repeat", "perhaps", "write true or false.")]
    public void AValueOfTheWrongTypeIsNamedWithWhatToWrite(string key, string value, string rule)
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, [$"{key}={value}"]));
        Assert.All([$"'{key}'", $"'{value}'", rule], part => Assert.Contains(part, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void AllThatIsWrongIsSaidAtOnce()
    {
        var lines = Refused("Camera:Width=wide", "Device:Id=Press 4", "Mqtt:Porrt=1883", "Telemetry:WindowSeconds=51", "Power:SamplesPerSecond=1000").Message.Split(Environment.NewLine);
        Assert.Equal(4, lines.Length);
        Assert.All(["Camera:Width", "Device:Id", "Porrt", "Telemetry:WindowSeconds"], key => Assert.Single(lines, line => line.Contains(key, StringComparison.Ordinal)));
    }

    [Fact]
    public void AMisspeltKeyIsRefused()
    {
        Assert.Equal("Camera has no key 'Widht'; /usr/share/doc/dunlin-agent/configuration.md has them all.", Refused("Camera:Widht=640").Message);
    }

    [Fact]
    public void AMisspeltSectionIsRefused()
    {
        var e = Refused("Camara:Width=640");
        Assert.Contains("There is no section 'Camara'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoJsonIsNamed()
    {
        File.WriteAllText(_file, """{ "Device": { "Id": """);
        var e = Assert.Throws<ConfigurationException>(() => AgentConfiguration.Load(_file, []));
        Assert.Contains(_file, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAbsentFileIsNamed()
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentConfiguration.Load(_file, []));
        Assert.Contains("does not exist", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Width=5")]
    [InlineData("Camera:Width")]
    [InlineData("=5")]
    public void AnAssignmentNeedsSectionKeyAndValue(string setting)
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentConfiguration.Load(null, [setting]));
        Assert.Contains("Section:Key=value", e.Message, StringComparison.Ordinal);
    }

    private static ConfigurationException Refused(params string[] settings) =>
        Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, settings));
}
