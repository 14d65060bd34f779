using CsCheck;
using Dunlin.Bundles.Registries;

namespace Dunlin.Bundles.Tests.Registries;

public sealed class RegistryChallengeTests
{
    [Fact]
    public void QuotedAndPlainValuesAreRead()
    {
        var read = RegistryChallenge.ParametersOf("""realm="https://a.example/t?x=1,2" , service=plain,Scope="a \"b\",c", realm="second" """);
        Assert.Equal("https://a.example/t?x=1,2", read["Realm"]);
        Assert.Equal("plain", read["service"]);
        Assert.Equal("a \"b\",c", read["scope"]);
    }

    [Theory]
    [InlineData("realm=\"https://a.example/t\"", "https://a.example/t?scope=repository%3Aa%2Fb%3Apull")]
    [InlineData("realm=\"https://u:p@a.example/t?x=1#f\",service=\"s&t\",scope=\"repository:c:push\"", "https://a.example/t?x=1&service=s%26t&scope=repository%3Aa%2Fb%3Apull")]
    public void ATokenIsAskedForWithTheScopeThatIsNeeded(string challenge, string address) =>
        Assert.Equal(address, RegistryChallenge.Parse(challenge).TokenAddress("a/b", "pull").AbsoluteUri);

    [Theory]
    [InlineData("service=\"s\"")]
    [InlineData("realm=\"/t\"")]
    [InlineData("realm=\"ftp://a.example/t\"")]
    public void WithoutAnAddressOfHttpThereIsNoRealm(string challenge) => Assert.Null(RegistryChallenge.Parse(challenge).Realm);

    [Fact]
    public void NoTextBreaksIt() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["ab=\",\\ "], 0, 60]).Sample(text => RegistryChallenge.Parse(text) is not null);
}
