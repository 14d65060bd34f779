using CsCheck;
using Dunlin.Agent.Updates.Fetching;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class ChallengeParametersTests
{
    [Fact]
    public void QuotedAndPlainValuesAreRead()
    {
        var read = ChallengeParameters.Parse("""realm="https://a.example/t?x=1,2" , service=plain,Scope="a \"b\",c", realm="second" """);
        Assert.Equal("https://a.example/t?x=1,2", read["Realm"]);
        Assert.Equal("plain", read["service"]);
        Assert.Equal("a \"b\",c", read["scope"]);
    }

    [Fact]
    public void NoTextBreaksIt() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["ab=\",\\ "], 0, 60]).Sample(text => ChallengeParameters.Parse(text) is not null);
}
