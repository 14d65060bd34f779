using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Samples;

namespace Dunlin.Contracts.Tests;

public sealed class DigestTests
{
    [Fact]
    public void AKeyThatIsNoDigestIsAnErrorOfTheDocument()
    {
        var seen = System.Text.Encoding.UTF8.GetString(Seen.Format.Write(SampleDocuments.Seen())).Replace("sha256:", "sha255:", StringComparison.Ordinal);
        Assert.Contains("is not a digest", Assert.Single(Seen.Format.Read(System.Text.Encoding.UTF8.GetBytes(seen)).Errors).Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void TheDigestOfNothingIsTheKnownOne() =>
        Assert.Equal("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Digest.Of([]).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("sha256:")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    public void AnythingElseIsRefused(string text) => Assert.False(Digest.TryParse(text, out _));
}
