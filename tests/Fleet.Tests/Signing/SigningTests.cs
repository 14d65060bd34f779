using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Tests.Signing;

public sealed class SigningTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-keys-").FullName;
    private readonly StringWriter _output = new(), _errors = new();

    private string Keys => Path.Combine(_folder, "keys");

    [Fact]
    public void TheFirstRootCanBeInstalledAndKeysAreTheOwnersAlone()
    {
        if (OperatingSystem.IsWindows()) { Assert.Skip("File modes are Unix's."); return; }
        Assert.Equal(0, Init());
        var envelope = EnvelopeReader.Read(File.ReadAllBytes(Path.Combine(Keys, KeyFolder.RootEnvelope))).Value!;
        var (result, root) = RootRotation.Install(envelope);
        Assert.True(result.IsAccepted, result.Detail);
        Assert.Equal(("orchard", 1), (root!.Fleet, root.Version));
        foreach (var key in (string[])[KeyFolder.RootKey, KeyFolder.ReleaseKey, KeyFolder.DirectiveKey])
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Keys, key)));
    }

    [Fact]
    public void KeysAreNeverOverwritten()
    {
        Init();
        var before = File.ReadAllText(Path.Combine(Keys, KeyFolder.RootKey));
        Assert.Equal(73, Init());
        Assert.Contains("never overwritten", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(Keys, KeyFolder.RootKey)));
    }

    [Fact]
    public void ASignedBundleKeepsItsReleaseIdAndIsAcceptedByTheRoot()
    {
        Init();
        var path = CopyOfTheDemo();
        var id = Bundle.Open(path).ReleaseId;
        Assert.Equal(0, SignCommand.Run(path, Keys, _output, _errors));
        var signed = Bundle.Open(path);
        Assert.Equal(id, signed.ReleaseId);
        var root = RootReader.Read(EnvelopeReader.Read(File.ReadAllBytes(Path.Combine(Keys, KeyFolder.RootEnvelope))).Value!.Payload.Span).Value!;
        Assert.True(EnvelopeVerifier.Verify(signed.Signature!, SigningRole.Release, root).IsAccepted);
    }

    [Fact]
    public void WithoutKeysNothingIsSigned()
    {
        Assert.Equal(66, SignCommand.Run(CopyOfTheDemo(), Keys, _output, _errors));
        Assert.Contains("keys init", _errors.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private int Init() => KeysCommand.Run(Keys, "orchard", TimeSpan.FromDays(1), TimeProvider.System, _output, _errors);

    private string CopyOfTheDemo()
    {
        var repository = AppContext.BaseDirectory.TrimEnd('/');
        while (!File.Exists(Path.Join(repository, "Agent.sln"))) repository = Path.GetDirectoryName(repository)!;
        var from = Path.Combine(repository, "demo", "bundle");
        var to = Path.Combine(_folder, "bundle");
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return to;
    }
}
