using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Tests.Configuration;

public sealed class UpdateOptionsTests
{
    [Fact]
    public void HostsCredentialsAndLimitsAreReadFromTheConfiguration()
    {
        var options = AgentOptions.Load(null, [
            "Updates:AllowedHosts:0=registry.example", "Updates:AllowedHosts:1=10.0.0.5:5000", "Updates:AllowedHosts:2=[::1]:5000",
            "Updates:Credentials:0:Host=registry.example", "Updates:Credentials:0:UserName=board", "Updates:Credentials:0:PasswordFile=/etc/dunlin/password",
            "Updates:Credentials:1:Host=cdn.example:8443", "Updates:Credentials:1:Token=abc", "Updates:MaximumFetchHours=2"]).Updates;
        Assert.Equal(3, options.AllowedHosts.Count);
        Assert.Equal(2, options.MaximumFetchHours);
        Assert.Equal([false, true], options.Credentials.Select(c => c.IsToken));
    }

    [Theory]
    [InlineData("Updates:AllowedHosts:0=https://registry.example", "Updates:AllowedHosts:0 must be a host name")]
    [InlineData("Updates:AllowedHosts:0=registry.example/garments", "Updates:AllowedHosts:0 must be a host name")]
    [InlineData("Updates:InsecureHosts:0=user@registry.example", "Updates:InsecureHosts:0 must be a host name")]
    [InlineData("Updates:MaximumFetchMegabytes=0", "Updates:MaximumFetchMegabytes must be between")]
    [InlineData("Updates:ArtifactCaFile=/nowhere/ca.pem", "Updates:ArtifactCaFile must name a file that exists")]
    [InlineData("Updates:Credentials:0:Host=a.example", "Updates:Credentials:0:Host must have exactly one of")]
    [InlineData("Updates:Credentials:0:Token=s3cret-token", "Updates:Credentials:0:Host must be a host name")]
    public void AWrongValueIsNamedWithItsRule(string setting, string said)
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, [setting]));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoSecretsForOneHostAreRefusedWithoutShowingThem()
    {
        var e = Assert.Throws<ConfigurationException>(() => AgentOptions.Load(null, [
            "Updates:Credentials:0:Host=a.example", "Updates:Credentials:0:Token=s3cret-1", "Updates:Credentials:0:Password=s3cret-2", "Updates:Credentials:0:UserName=board",
            "Updates:Credentials:1:Host=A.example", "Updates:Credentials:1:Token=s3cret-3"]));
        Assert.Contains("exactly one of", e.Message, StringComparison.Ordinal);
        Assert.Contains("must not stand twice", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", e.Message, StringComparison.Ordinal);
    }
}
