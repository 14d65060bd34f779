using Dunlin.Agent.Configuration;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;

namespace Dunlin.Agent.Tests.Serving;

/// <summary>Which bundles a device runs: the demo bundle, with and without a root, signed by whom it trusts or not, whole or broken.</summary>
public sealed class ReleaseGateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SigningKey _owner = SigningKey.Generate();
    private readonly SigningKey _stranger = SigningKey.Generate();
    private readonly StateFiles _files;
    private readonly Bundle _bundle;

    public ReleaseGateTests()
    {
        _files = new StateFiles(new StateLayout(_folder.Sub("state")));
        _bundle = Bundle.Open(RepositoryFolder.Copy(RepositoryFolder.DemoBundle, Path.Combine(_folder.Path, "bundle")));
    }

    [Theory]
    [InlineData(false, "nobody", false, "has no trusted root")]
    [InlineData(false, "nobody", true, null)]
    [InlineData(true, "nobody", false, "is not signed")]
    [InlineData(true, "nobody", true, "is not signed")]
    [InlineData(true, "stranger", true, "The release document")]
    [InlineData(true, "owner", false, null)]
    [InlineData(true, "owner", true, null)]
    [InlineData(true, "nonsense", true, "Bundle")]
    public void ABundleRunsIfTheRootSaysSoOrIfThereIsNoneAndUnsignedOnesAreAllowed(bool hasRoot, string signer, bool allowUnsigned, string? problem)
    {
        if (hasRoot) InstallRoot();
        if (signer is "owner" or "stranger") _bundle.WithSignature((signer == "owner" ? _owner : _stranger).Sign(MediaTypes.Manifest, _bundle.ManifestBytes));
        if (signer == "nonsense")
        {
            var envelope = _owner.Sign(MediaTypes.Manifest, _bundle.ManifestBytes);
            _bundle.WithSignature(envelope with { Signatures = [envelope.Signatures[0] with { Sig = new byte[64] }] });
        }

        var (release, said) = Gate(allowUnsigned).Open();
        Assert.Equal(problem is null, release is not null);
        if (problem is null) Assert.Equal(signer == "owner", release!.IsSigned);
        else Assert.Contains(problem, said, StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedRootIsNeverTakenForNone()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_files.Layout.TrustRoot)!);
        File.WriteAllText(_files.Layout.TrustRoot, "{\"half\":");
        var (release, problem) = Gate(allowUnsigned: true).Open();
        Assert.Null(release);
        Assert.Contains("root is damaged", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingBlobIsNamed()
    {
        var path = _bundle.PathOf(_bundle.Manifest.Variants[0]);
        File.Delete(path);
        Refused(Path.GetFileName(path));
    }

    [Fact]
    public void ABlobOfAnotherContentIsNamed()
    {
        var path = _bundle.PathOf(_bundle.Manifest.Variants[0]);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
        Refused(Path.GetFileName(path));
    }

    [Fact]
    public void AnUnknownFieldOfTheManifestIsNamed()
    {
        // The layout stays consistent: the manifest gets its new digest and size in the index.
        var manifest = System.Text.Encoding.UTF8.GetString(_bundle.ManifestBytes.Span).Insert(1, "\"surprise\":1,");
        var bytes = System.Text.Encoding.UTF8.GetBytes(manifest);
        Replace(_bundle.ReleaseId, _bundle.ManifestBytes.Length, bytes);
        Refused("surprise");
    }

    [Fact]
    public void NoBundleAndNoFolderSayWhatToSet()
    {
        Assert.Contains("Device:Bundle", new ReleaseGate(new DeviceOptions(), new UpdateOptions(), _files, Store).Open().Problem, StringComparison.Ordinal);
        Assert.Contains("/nowhere", new ReleaseGate(new DeviceOptions { Bundle = "/nowhere" }, new UpdateOptions(), _files, Store).Open().Problem, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _owner.Dispose();
        _stranger.Dispose();
        _folder.Dispose();
    }

    private void Refused(string named)
    {
        var (release, problem) = Gate(allowUnsigned: true).Open();
        Assert.Null(release);
        Assert.Contains(named, problem, StringComparison.Ordinal);
    }

    private ReleaseStore Store => new(_files.Layout, BoardFacts.Read());

    private ReleaseGate Gate(bool allowUnsigned) => new(new DeviceOptions { Bundle = _bundle.Path }, new UpdateOptions { AllowUnsigned = allowUnsigned }, _files, Store);

    private void InstallRoot()
    {
        var role = new Role { Threshold = 1, KeyIds = [_owner.KeyId] };
        var root = SampleRoot.Make() with
        {
            Keys = new Dictionary<string, TrustedKey> { [_owner.KeyId] = _owner.Trusted },
            Roles = new Roles { Root = role, Release = role, Directive = role, Fresh = role },
        };
        _files.WriteRoot(_owner.Sign(MediaTypes.Root, Root.Format.Write(root)));
    }

    /// <summary>Puts other bytes in a blob's place and follows the chain of digests: the OCI manifest, then the index.</summary>
    private void Replace(Digest old, int oldSize, byte[] bytes)
    {
        var blobs = Path.Combine(_bundle.Path, "blobs", "sha256");
        var digest = Digest.Of(bytes);
        File.WriteAllBytes(Path.Combine(blobs, digest.Hex), bytes);
        var parent = Directory.EnumerateFiles(blobs).Append(Path.Combine(_bundle.Path, "index.json"))
            .FirstOrDefault(path => new FileInfo(path).Length < 65536 && File.ReadAllText(path).Contains(old.Hex, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"Nothing names {old}.");
        var text = File.ReadAllText(parent);
        var at = text.IndexOf(old.Hex, StringComparison.Ordinal);
        var changed = text.Replace(old.Hex, digest.Hex, StringComparison.Ordinal);
        var size = changed.IndexOf($"{oldSize}", at, StringComparison.Ordinal);
        changed = changed.Remove(size, $"{oldSize}".Length).Insert(size, $"{bytes.Length}");
        var changedBytes = System.Text.Encoding.UTF8.GetBytes(changed);
        if (parent.EndsWith("index.json", StringComparison.Ordinal)) File.WriteAllBytes(parent, changedBytes);
        else Replace(Digest.Of(System.Text.Encoding.UTF8.GetBytes(text)), System.Text.Encoding.UTF8.GetByteCount(text), changedBytes);
    }
}
