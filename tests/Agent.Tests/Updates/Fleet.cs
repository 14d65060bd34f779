using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Samples;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>The owner of a device: keys, a root, releases on a shelf, and directives that only rise.</summary>
internal sealed class Fleet : IDisposable
{
    public const string Name = "plant-a";
    public const string Device = "camera-7";

    private readonly string _shelf;
    private long _counter;

    public Fleet(string shelf, DateTimeOffset now)
    {
        _shelf = shelf;
        Now = now;
        Directory.CreateDirectory(shelf);
    }

    public SigningKey RootKey { get; } = SigningKey.Generate();

    public SigningKey ReleaseKey { get; } = SigningKey.Generate();

    public SigningKey Online { get; set; } = SigningKey.Generate();

    public SigningKey Stranger { get; } = SigningKey.Generate();

    /// <summary>The fleet's clock.</summary>
    public DateTimeOffset Now { get; set; }

    public Root Root(int version = 1) => new()
    {
        Schema = Contracts.Signing.Root.CurrentSchema,
        Fleet = Name,
        Version = version,
        Issued = Now,
        Expires = Now.AddYears(5),
        Keys = ((SigningKey[])[RootKey, ReleaseKey, Online]).ToDictionary(key => key.KeyId, key => key.Trusted),
        Roles = new Roles { Root = By(RootKey), Release = By(ReleaseKey), Directive = By(Online), Fresh = By(Online) },
    };

    public DsseEnvelope SignedRoot(int version = 1) => RootKey.Sign(MediaTypes.Root, Contracts.Signing.Root.Format.Write(Root(version)));

    /// <summary>A small bundle, signed; its models are random bytes, since a board of a test does not run them.</summary>
    public Release Publish(int number, int securityEpoch = 1, Func<Manifest, Manifest>? change = null)
    {
        var writer = new BundleWriter();
        var template = SampleDocuments.Manifest() with { Version = number, Label = $"1.{number}.0", SecurityEpoch = securityEpoch };
        var manifest = template with
        {
            Labels = writer.AddLabels(["shirt", "coat", "bag"]),
            Golden = template.Golden with { Blob = writer.AddGolden(Golden(template)) },
            Variants = [.. template.Variants.Select((v, i) => v with
            {
                Blob = writer.AddBytes(Model((10 * number) + i)),
                Requires = v.Requires with { CpuFeatures = [], MemoryByteCount = 1000 },
            })],
        };
        if (change is not null) manifest = change(manifest);
        var bundle = writer.Write(Path.Combine(_shelf, $"{number}-{Guid.NewGuid():N}"), manifest);
        bundle = bundle.WithSignature(ReleaseKey.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        return new Release(bundle, BlobFile.Describe(bundle.SignatureBytes!.Value));
    }

    /// <summary>The next directive; <paramref name="change"/> may spoil it before it is signed.</summary>
    public DsseEnvelope Direct(Release release, Func<Directive, Directive>? change = null)
    {
        var directive = SampleDocuments.Directive() with
        {
            Fleet = Name,
            Device = Device,
            Counter = ++_counter,
            Release = release.Id,
            Signature = release.Signature,
            Sources = [new ArtifactSource { Kind = SourceKind.Mqtt }],
            Issued = Now,
            Expires = Now.AddDays(7),
            Policy = new DirectivePolicy { TrialSeconds = 5, MinimumRuns = 10 },
        };
        return Sign(change is null ? directive : change(directive));
    }

    public DsseEnvelope Sign(Directive directive) => Online.Sign(MediaTypes.Directive, Directive.Format.Write(directive));

    public DsseEnvelope Fresh(TimeSpan? validity = null) => Online.Sign(MediaTypes.Fresh, Contracts.Signing.Fresh.Format.Write(new Fresh
    {
        Schema = Contracts.Signing.Fresh.CurrentSchema,
        Fleet = Name,
        Device = Device,
        Time = Now,
        Counter = _counter,
        Expires = Now + (validity ?? TimeSpan.FromDays(1)),
    }));

    /// <summary>A log level for ten minutes; <paramref name="change"/> may spoil it before it is signed.</summary>
    public DsseEnvelope Command(string bootId, Func<SignedCommand, SignedCommand>? change = null, SigningKey? key = null, string type = MediaTypes.Command)
    {
        var command = new SignedCommand
        {
            Schema = SignedCommand.CurrentSchema,
            Fleet = Name,
            Device = Device,
            BootId = bootId,
            Nonce = Guid.NewGuid().ToString("N"),
            Name = Contracts.Messages.Command.LogLevel,
            Issued = Now,
            Expires = Now.AddMinutes(1),
            Level = "debug",
            Seconds = 600,
        };
        return (key ?? Online).Sign(type, SignedCommand.Format.Write(change is null ? command : change(command)));
    }

    public void Dispose()
    {
        foreach (var key in (SigningKey[])[RootKey, ReleaseKey, Online, Stranger]) key.Dispose();
    }

    private static Role By(SigningKey key) => new() { Threshold = 1, KeyIds = [key.KeyId] };

    private static GoldenContent Golden(Manifest manifest)
    {
        var shape = new GoldenShape(manifest.Golden.SampleCount, manifest.Input.Height, manifest.Input.Width, manifest.Input.ChannelCount);
        IReadOnlyList<int> classes = [.. Enumerable.Range(0, shape.Count).Select(i => i % 3)];
        return new GoldenContent { Shape = shape, Pixels = new byte[shape.Count * shape.ImageByteCount], Labels = classes, Predictions = manifest.Variants.ToDictionary(v => v.Id, _ => classes) };
    }

    private static byte[] Model(int seed)
    {
        var bytes = new byte[70_000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}

/// <summary>A signed bundle on the shelf, and its signature as a directive names it.</summary>
internal sealed record Release(Bundle Bundle, Blob Signature)
{
    public Digest Id => Bundle.ReleaseId;
}
