using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;

namespace Dunlin.Torture.Updates;

/// <summary>What is kept of a stage, so that a run that was cut goes on with the same keys, releases and directives.</summary>
/// <param name="ShelfPort">Where the artifacts are, by HTTP on loopback.</param>
/// <param name="First">The release that runs before.</param>
/// <param name="Second">The one that the directives ask for.</param>
/// <param name="Directives">By name.</param>
internal sealed record StageFacts(int ShelfPort, string First, string Second, IReadOnlyDictionary<string, byte[]> Directives);

/// <summary>A device that has committed a first release, and directives for a second one: what every update of the torture starts from.</summary>
internal sealed class UpdateStage : IAsyncDisposable
{
    public const string Fleet = "torture";
    public const string Device = "d1";

    /// <summary>Directives that follow each other in a soak.</summary>
    public const int SoakCount = 500;

    private readonly StageFacts _facts;
    private readonly NginxServer _shelf;

    private UpdateStage(string work, StageFacts facts, MosquittoBroker broker, NginxServer shelf) => (Work, _facts, Broker, _shelf) = (work, facts, broker, shelf);

    public string Work { get; }
    public MosquittoBroker Broker { get; }

    /// <summary>The state directory with the first release committed; copied for each case.</summary>
    public string Before => Path.Combine(Work, "before");

    public string Frames => Path.Combine(Work, "frames");

    public Digest First => Digest.Parse(_facts.First);

    public Digest Second => Digest.Parse(_facts.Second);

    public DsseEnvelope Directive(string name) => DsseEnvelope.Format.Read(_facts.Directives[name]).GetOrThrow();

    /// <summary>The name of a directive of the soak, from 1.</summary>
    public static string Soak(int number) => FormattableString.Invariant($"soak {number}");

    public static Digest IdOf(DsseEnvelope directive) => Digest.Of(directive.Payload.Span);

    public static string Topic(string name) => $"dunlin/v1/{Fleet}/{Device}/{name}";

    public static async Task<UpdateStage> OpenAsync(string agent, string work, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(work);
        var file = Path.Combine(work, "stage.json");
        var broker = await MosquittoBroker.StartAsync();
        if (File.Exists(file))
        {
            var known = JsonSerializer.Deserialize(await File.ReadAllTextAsync(file, cancellationToken), StageJson.Default.StageFacts)!;
            return new UpdateStage(work, known, broker, await NginxServer.StartAsync(Path.Combine(work, "shelf"), known.ShelfPort));
        }

        Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work);
        var port = Ports.Free();
        using var owner = new Owner(port);
        var first = owner.Publish(Path.Combine(work, "shelf", "first"), sharpness: 20);
        var second = owner.Publish(Path.Combine(work, "shelf", "second"), sharpness: 30);
        var install = owner.Direct(1, "first", first, new DirectivePolicy { TrialSeconds = 1, MinimumRuns = 5 });
        var directives = new Dictionary<string, byte[]>
        {
            ["good"] = DsseEnvelope.Format.Write(owner.Direct(2, "second", second, new DirectivePolicy { TrialSeconds = 1, MinimumRuns = 5 })),
            // No inference is that fast, so its trial fails.
            ["slow"] = DsseEnvelope.Format.Write(owner.Direct(2, "second", second, new DirectivePolicy { TrialSeconds = 1, MinimumRuns = 5, MaximumP95Milliseconds = 0.0001 })),
        };
        // To and fro between the two, beginning with the second.
        for (var i = 1; i <= SoakCount; i++)
        {
            var (folder, release) = i % 2 == 1 ? ("second", second) : ("first", first);
            directives[Soak(i)] = DsseEnvelope.Format.Write(owner.Direct(1 + i, folder, release, new DirectivePolicy { TrialSeconds = 1, MinimumRuns = 5 }));
        }

        var facts = new StageFacts(port, first.ReleaseId.ToString(), second.ReleaseId.ToString(), directives);
        var stage = new UpdateStage(work, facts, broker, await NginxServer.StartAsync(Path.Combine(work, "shelf"), port));
        Directory.CreateDirectory(stage.Frames);
        await Tool.SucceedAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", Path.Combine(stage.Frames, "red.jpg"));
        var trust = Directory.CreateDirectory(Path.Combine(stage.Before, "trust")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(trust, "root.json"), DsseEnvelope.Format.Write(owner.Root()), cancellationToken);
        await using (var device = await DeviceRun.StartAsync(stage, agent, stage.Before, install, shim: null, cancellationToken))
        {
            var end = await device.EndAsync(TimeSpan.FromSeconds(90), cancellationToken);
            if (end?.Result != UpdateState.Committed) throw new InvalidOperationException($"The first release was not committed: {end?.Reason} {end?.Detail}\n{device.Log}");
            await device.StopAsync();
        }

        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(facts, StageJson.Default.StageFacts), cancellationToken);
        return stage;
    }

    public async ValueTask DisposeAsync()
    {
        await _shelf.DisposeAsync();
        await Broker.DisposeAsync();
    }

    /// <summary>The keys of the fleet, while it makes what the stage needs.</summary>
    private sealed class Owner(int shelfPort) : IDisposable
    {
        private readonly SigningKey _root = SigningKey.Generate();
        private readonly SigningKey _release = SigningKey.Generate();
        private readonly SigningKey _online = SigningKey.Generate();
        private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

        public DsseEnvelope Root() => _root.Sign(MediaTypes.Root, Contracts.Signing.Root.Format.Write(new Root
        {
            Schema = Contracts.Signing.Root.CurrentSchema,
            Fleet = Fleet,
            Version = 1,
            Issued = _now.AddMinutes(-1),
            Expires = _now.AddYears(5),
            Keys = ((SigningKey[])[_root, _release, _online]).ToDictionary(key => key.KeyId, key => key.Trusted),
            Roles = new Roles { Root = By(_root), Release = By(_release), Directive = By(_online), Fresh = By(_online) },
        }));

        public Bundle Publish(string folder, float sharpness)
        {
            var bundle = MadeBundle.Write(folder, ("small", OnnxModels.BrightestChannel(MadeBundle.Side, sharpness)), ("large", OnnxModels.BrightestChannel(MadeBundle.Side, sharpness + 1)));
            return bundle.WithSignature(_release.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        }

        public DsseEnvelope Direct(long counter, string folder, Bundle release, DirectivePolicy policy) => _online.Sign(MediaTypes.Directive, Contracts.Signing.Directive.Format.Write(SampleDocuments.Directive() with
        {
            Fleet = Fleet,
            Device = Device,
            Counter = counter,
            Release = release.ReleaseId,
            Signature = BlobFile.Describe(release.SignatureBytes!.Value),
            Sources = [new ArtifactSource { Kind = SourceKind.Http, Location = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{shelfPort}/{folder}") }],
            Issued = _now.AddMinutes(-1),
            Expires = _now.AddDays(30),
            Policy = policy,
        }));

        public void Dispose()
        {
            foreach (var key in (SigningKey[])[_root, _release, _online]) key.Dispose();
        }

        private static Role By(SigningKey key) => new() { Threshold = 1, KeyIds = [key.KeyId] };
    }
}

[JsonSerializable(typeof(StageFacts))]
internal sealed partial class StageJson : JsonSerializerContext;
