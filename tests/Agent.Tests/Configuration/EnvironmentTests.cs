using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Tests.Configuration;

[Collection(nameof(AloneInTheProcess))]
public sealed class EnvironmentTests
{
    [Theory]
    [InlineData("DUNLIN_CAMERA_SOURCE", "write DUNLIN_Camera__SOURCE ")]
    [InlineData("DUNLIN_Camera_FramesPerSecond", "write DUNLIN_Camera__FramesPerSecond ")]
    [InlineData("DUNLIN__Mqtt__Host", "write DUNLIN_Mqtt__Host ")]
    [InlineData("DUNLIN_CAMERA", "write DUNLIN_Camera__Key ")]
    public void AVariableThatIsNoKeyIsRefusedWithTheOneThatWasProbablyMeant(string variable, string advice)
    {
        var e = Assert.Throws<ConfigurationException>(() => Load(variable, "3"));
        Assert.Contains($"The environment variable {variable} is no key", e.Message, StringComparison.Ordinal);
        Assert.Contains(advice, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DUNLIN_AGENT")]
    [InlineData("DUNLIN_DEMO_BUILT")]
    [InlineData("DUNLIN_FREEZE_LOOP")]
    [InlineData("DUNLIN_PASSPHRASE")]
    public void OtherProgramsVariablesAreNone(string variable) => Assert.Equal("localhost", Load(variable, "any").Mqtt.Host);

    [Fact]
    public void AKeyMayBeWrittenInAnyCase() => Assert.Equal("/films", Load("DUNLIN_CAMERA__SOURCE", "/films").Camera.Source);

    private static AgentOptions Load(string variable, string value)
    {
        var before = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, value);
        try
        {
            return AgentOptions.Load(null, []);
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, before);
        }
    }
}
