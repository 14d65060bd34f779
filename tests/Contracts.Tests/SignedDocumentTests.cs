using System.Security.Cryptography;
using System.Text;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Samples;

namespace Dunlin.Contracts.Tests;

public sealed class SignedDocumentTests
{
    [Fact]
    public void EveryDocumentRoundTrips()
    {
        var (root, directive, fresh, command, envelope) = (SampleRoot.Make(), SampleDocuments.Directive(), SampleDocuments.Fresh(), SampleDocuments.SignedCommand(), SampleDocuments.Envelope());
        Assert.Equal(Root.Format.Write(root), Root.Format.Write(Root.Format.Read(Root.Format.Write(root)).GetOrThrow()));
        Assert.Equal(Directive.Format.Write(directive), Directive.Format.Write(Directive.Format.Read(Directive.Format.Write(directive)).GetOrThrow()));
        Assert.Equal(fresh, Fresh.Format.Read(Fresh.Format.Write(fresh)).GetOrThrow());
        Assert.Equal(command, SignedCommand.Format.Read(SignedCommand.Format.Write(command)).GetOrThrow());
        Assert.Equal(DsseEnvelope.Format.Write(envelope), DsseEnvelope.Format.Write(DsseEnvelope.Format.Read(DsseEnvelope.Format.Write(envelope)).GetOrThrow()));
    }

    [Fact]
    public void AKeyUnderAnotherIdIsRefused()
    {
        var root = SampleRoot.Make();
        var twin = root with { Keys = new Dictionary<string, TrustedKey>(root.Keys) { [new string('0', 64)] = root.Keys.Values.First() } };
        Assert.Contains("must stand under the SHA-256", Message(() => Root.Format.Write(twin)), StringComparison.Ordinal);
    }

    [Fact]
    public void TheSameKeyInAnotherEncodingIsRefused()
    {
        var root = SampleRoot.Make();
        var der = root.Keys.Values.First().PublicKey.ToArray();
        // A compressed point is the same key with another digest.
        byte[] compressed = [.. Convert.FromHexString("3039301306072a8648ce3d020106082a8648ce3d030107032200"), (byte)(2 + (der[^1] & 1)), .. der.AsSpan(27, 32)];
        var id = Convert.ToHexStringLower(SHA256.HashData(compressed));
        var twin = root with { Keys = new Dictionary<string, TrustedKey>(root.Keys) { [id] = new() { Algorithm = TrustedKey.EcdsaP256Sha256, PublicKey = compressed } } };
        Assert.Contains("uncompressed P-256", Message(() => Root.Format.Write(twin)), StringComparison.Ordinal);
    }

    [Fact]
    public void APointOffTheCurveIsRefused()
    {
        var root = SampleRoot.Make();
        var der = root.Keys.Values.First().PublicKey.ToArray();
        der[^1] ^= 1;
        var keys = new Dictionary<string, TrustedKey> { [root.Keys.Keys.First()] = new() { Algorithm = TrustedKey.EcdsaP256Sha256, PublicKey = der } };
        Assert.Contains("point of the curve", Message(() => Root.Format.Write(root with { Keys = keys })), StringComparison.Ordinal);
    }

    [Fact]
    public void ASignedTimeOfAClockGoneWildIsRefused()
    {
        var (wild, far) = (new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero), DateTimeOffset.MaxValue);
        var (directive, fresh) = (SampleDocuments.Directive() with { Issued = wild, Expires = far }, SampleDocuments.Fresh() with { Time = wild, Expires = far });
        Assert.Contains("$.issued is 01/01/2200 00:00:00 +00:00: it must be before the year 2200", Message(() => Directive.Format.Write(directive)), StringComparison.Ordinal);
        Assert.Contains("$.time is 01/01/2200 00:00:00 +00:00: it must be before the year 2200", Message(() => Fresh.Format.Write(fresh)), StringComparison.Ordinal);
        Assert.NotEmpty(Directive.Format.Write(directive with { Issued = wild.AddTicks(-1) }));
        Assert.NotEmpty(Fresh.Format.Write(fresh with { Time = wild.AddTicks(-1) }));
    }

    [Fact]
    public void AnUnreachableThresholdIsRefused()
    {
        var root = SampleRoot.Make();
        var roles = root.Roles with { Root = root.Roles.Root with { Threshold = 2 } };
        Assert.Contains("$.roles.root.threshold is 2", Message(() => Root.Format.Write(root with { Roles = roles })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://user:secret@host/repository")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://host/repository?token=1")]
    [InlineData("repository")]
    public void ASourceWithCredentialsOrAnotherSchemeIsRefused(string location)
    {
        var directive = SampleDocuments.Directive() with { Sources = [new ArtifactSource { Kind = SourceKind.Http, Location = location }] };
        Assert.Contains("$.sources[0].location", Message(() => Directive.Format.Write(directive)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Command.Snapshot)]
    [InlineData(Command.Explain)]
    public void ACommandThatIsNoLogLevelHasNeitherLevelNorSeconds(string name)
    {
        var command = SampleDocuments.SignedCommand() with { Name = name, Level = null, Seconds = null };
        Assert.Equal(command, SignedCommand.Format.Read(SignedCommand.Format.Write(command)).GetOrThrow());
        Assert.Contains($"$.level is 'debug': it must be absent for {name}", Message(() => SignedCommand.Format.Write(command with { Level = "debug" })), StringComparison.Ordinal);
        Assert.Contains($"$.seconds is 1: it must be absent for {name}", Message(() => SignedCommand.Format.Write(command with { Seconds = 1 })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("verbose")]
    [InlineData("debug")]
    [InlineData("information")]
    [InlineData("warning")]
    [InlineData("error")]
    public void ALogLevelIsOneOfFive(string level) => SignedCommand.Format.Write(SampleDocuments.SignedCommand() with { Level = level });

    [Fact]
    public void ACommandThatBreaksARuleIsRefused()
    {
        var good = SampleDocuments.SignedCommand();
        (string Path, SignedCommand Command)[] flaws =
        [
            ("$.schema", good with { Schema = "dunlin.command.v2" }),
            ("$.fleet", good with { Fleet = "+" }),
            ("$.device", good with { Device = "camera-7/#" }),
            ("$.bootId", good with { BootId = "" }),
            ("$.bootId", good with { BootId = new string('b', 65) }),
            ("$.nonce", good with { Nonce = new string('0', 15) }),
            ("$.nonce", good with { Nonce = new string('0', 65) }),
            ("$.nonce", good with { Nonce = "0A1B2C3D4E5F60718293" }),
            ("$.nonce", good with { Nonce = new string('0', 16) + "\n" }),
            ("$.name", good with { Name = Command.Ping, Level = null, Seconds = null }),
            ("$.expires", good with { Expires = good.Issued }),
            ("$.expires", good with { Expires = good.Issued + SignedCommand.LongestValidity + TimeSpan.FromTicks(1) }),
            ("$.level", good with { Level = null }),
            ("$.level", good with { Level = "Debug" }),
            ("$.seconds", good with { Seconds = null }),
            ("$.seconds", good with { Seconds = 0 }),
            ("$.seconds", good with { Seconds = 86_401 }),
        ];
        foreach (var (path, command) in flaws) Assert.Contains($"{path} ", Message(() => SignedCommand.Format.Write(command)), StringComparison.Ordinal);
        SignedCommand.Format.Write(good with { Expires = good.Issued + SignedCommand.LongestValidity, Seconds = 86_400, BootId = new string('b', 64) });
    }

    [Fact]
    public void AnEnvelopeSpellsItsMembersAsDsseDoes() =>
        Assert.Contains("\"keyid\":", Encoding.UTF8.GetString(DsseEnvelope.Format.Write(SampleDocuments.Envelope())), StringComparison.Ordinal);

    [Fact]
    public void AFlippedDigitOfFloorsOrJournalIsNoticed()
    {
        var floors = Encoding.UTF8.GetString(Floors.Format.Write(SampleDocuments.Floors())).Replace("\"counter\":11", "\"counter\":10", StringComparison.Ordinal);
        Assert.Equal("$.checksum", Floors.Format.Read(Encoding.UTF8.GetBytes(floors)).Errors.Single().Path);
        var journal = Encoding.UTF8.GetString(Journal.Format.Write(SampleDocuments.Journal())).Replace("\"tries\":2", "\"tries\":1", StringComparison.Ordinal);
        Assert.Equal("$.checksum", Journal.Format.Read(Encoding.UTF8.GetBytes(journal)).Errors.Single().Path);
    }

    private static string Message(Action write) => Assert.Throws<DocumentException>(write).Message;
}
