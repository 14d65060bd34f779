using System.Security.Cryptography;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Trust;

/// <summary>A device's trust on disk, kept as the agent keeps it: judged first, the root persisted before the floors, and read anew each time as after a restart.</summary>
internal sealed class StoredTrust : IDisposable
{
    private static readonly DateTimeOffset BuildTime = SampleDocuments.Noon;

    private readonly TemporaryFolder _folder = new(inMemory: true);
    private readonly StateFiles _files;

    public StoredTrust(DsseEnvelope firstRoot)
    {
        _files = new StateFiles(new StateLayout(_folder["state-of-a-device"]));
        var (result, root) = RootRotation.Install(firstRoot);
        Assert.True(result.IsAccepted, result.ToString());
        _files.WriteRoot(firstRoot);
        _files.WriteFloors(FloorRules.Begin(root!));
    }

    public Root Root => Root.Format.Read(_files.ReadRoot().Value!.Payload.Span).Value!;

    public Floors Floors => FloorRules.Under(_files.ReadFloors().Value!, Root);

    /// <summary>Of every name and byte below <c>trust/</c>.</summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(_files.Layout.TrustRoot)!).Order(StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(file));
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>The document comes from the network, whatever it is.</summary>
    /// <param name="role">Of the topic it came on.</param>
    /// <param name="envelope">As it came.</param>
    /// <param name="release">What a directive asked for, for a release.</param>
    public VerificationResult Offer(SigningRole role, DsseEnvelope envelope, Digest? release = null)
    {
        var context = new TrustContext { Fleet = "plant-a", Device = "camera-7", Root = Root, Floors = Floors, BuildTime = BuildTime };
        switch (role)
        {
            case SigningRole.Root:
                var (followed, _, reached) = RootRotation.Follow(context.Root, [envelope], BuildTime);
                if (reached is null) return followed;
                _files.WriteRoot(reached);
                _files.WriteFloors(Floors);
                return followed;
            case SigningRole.Directive:
                var (judged, directive) = Acceptance.Judge(envelope, context);
                if (directive is not null) _files.WriteFloors(FloorRules.Raise(context.Floors, directive));
                return judged;
            case SigningRole.Fresh:
                var (looked, fresh) = Acceptance.JudgeFresh(envelope, context);
                if (fresh is not null) _files.WriteFloors(FloorRules.Raise(context.Floors, fresh));
                return looked;
            case SigningRole.Command:
                var sample = SampleDocuments.SignedCommand();
                return Acceptance.JudgeCommand(envelope, sample.Name, sample.BootId, context).Result;
            default:
                var (found, manifest) = Acceptance.JudgeRelease(envelope, release!.Value, new Version(9, 0), context);
                if (manifest is not null) _files.WriteFloors(FloorRules.RaiseEpoch(context.Floors, manifest.SecurityEpoch));
                return found;
        }
    }

    public void Dispose() => _folder.Dispose();
}
