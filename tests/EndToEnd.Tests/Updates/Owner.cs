using System.Text.Json;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>Who owns the device of a test: keys, signed releases behind HTTP, directives on the broker.</summary>
internal sealed class Owner : IAsyncDisposable
{
    private readonly string _shelf;
    private readonly SigningKey _key = SigningKey.Generate();
    private long _counter;
    private int _version;

    public Owner(TemporaryFolder space)
    {
        _shelf = space["shelf"];
        Server = new FolderServer(_shelf);
    }

    public FolderServer Server { get; }

    /// <summary>A device that was enrolled, with a signed factory bundle and a trial as short as may be.</summary>
    public AgentSetup Enroll(AgentSetup setup, Release? factory)
    {
        var layout = new StateLayout(setup.StateDirectory);
        Directory.CreateDirectory(Path.GetDirectoryName(layout.TrustRoot)!);
        File.WriteAllBytes(layout.TrustRoot, DsseEnvelope.Format.Write(_key.Sign(MediaTypes.Root, Contracts.Signing.Root.Format.Write(Root()))));
        return setup with
        {
            AllowUnsigned = false,
            Bundle = factory?.Bundle.Path ?? "",
            // One contender a variant: these tests are not about threads.
            Set = ["Race:BudgetSeconds=1", "Race:MaximumThreads=1", "Updates:TrialSeconds=2", "Updates:MinimumRuns=5", .. setup.Set],
        };
    }

    /// <summary>A signed release whose labels tell it from others.</summary>
    public Release Publish(params (string Id, byte[] Model)[] variants)
    {
        var version = ++_version;
        if (variants.Length == 0) variants = [("plain", OnnxModels.BrightestChannel(MadeBundle.Side, sharpness: 10 + version))];
        var bundle = MadeBundle.Write(Path.Combine(_shelf, $"{version}"), version, [$"red-{version}", $"green-{version}", $"blue-{version}"], variants);
        bundle = bundle.WithSignature(_key.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        return new Release(bundle, BlobFile.Describe(bundle.SignatureBytes!.Value), $"{Server.Address}/{version}");
    }

    /// <param name="release">What is to run.</param>
    /// <param name="setup">The device.</param>
    /// <param name="policy">Null: a trial as short as may be.</param>
    /// <param name="at">When it is issued; null: now. It expires a day later.</param>
    public DsseEnvelope Direct(Release release, AgentSetup setup, DirectivePolicy? policy = null, DateTimeOffset? at = null)
    {
        var now = at ?? TimeProvider.System.GetUtcNow();
        return _key.Sign(MediaTypes.Directive, Directive.Format.Write(new Directive
        {
            Schema = Directive.CurrentSchema,
            Fleet = "default",
            Device = setup.Id,
            Counter = ++_counter,
            Release = release.Bundle.ReleaseId,
            Signature = release.Signature,
            Sources = [new ArtifactSource { Kind = SourceKind.Http, Location = release.Location }],
            Issued = now,
            Expires = now.AddDays(1),
            Policy = policy ?? new DirectivePolicy { TrialSeconds = 2, MinimumRuns = 5 },
        }));
    }

    public DsseEnvelope Fresh(AgentSetup setup, TimeSpan validity)
    {
        var now = TimeProvider.System.GetUtcNow();
        return _key.Sign(MediaTypes.Fresh, Contracts.Signing.Fresh.Format.Write(new Fresh
        {
            Schema = Contracts.Signing.Fresh.CurrentSchema, Fleet = "default", Device = setup.Id, Time = now, Counter = _counter, Expires = now + validity,
        }));
    }

    /// <summary>A command for one start of the device.</summary>
    public DsseEnvelope Ask(string name, AgentSetup setup, string bootId, Func<SignedCommand, SignedCommand>? change = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        var command = new SignedCommand
        {
            Schema = SignedCommand.CurrentSchema, Fleet = "default", Device = setup.Id, BootId = bootId, Nonce = Guid.NewGuid().ToString("N"),
            Name = name, Issued = now, Expires = now.AddMinutes(10),
        };
        return _key.Sign(MediaTypes.Command, SignedCommand.Format.Write(change is null ? command : change(command)));
    }

    /// <summary>Signs a directive for the release and leaves it on the broker.</summary>
    public async Task<Digest> PushAsync(Release release, AgentSetup setup, MqttProbe probe, DirectivePolicy? policy = null)
    {
        var directive = Direct(release, setup, policy);
        await probe.PublishAsync(setup.Topic("desired"), DsseEnvelope.Format.Write(directive), retain: true);
        return Digest.Of(directive.Payload.Span);
    }

    /// <summary>How the directive ended, as the device says it.</summary>
    public static async Task<JsonElement> OutcomeAsync(Digest directive, AgentSetup setup, MqttProbe probe, AgentProcess agent)
    {
        try
        {
            return (await probe.NextAsync(setup.Topic("outcome"), m => m.Json.GetProperty("directive").GetString() == directive.ToString(), TimeSpan.FromSeconds(60))).Json;
        }
        catch (Exception e) when (e is Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{e.Message} The agent said:\n{agent.Log}");
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await Server.DisposeAsync();
    }

    private Root Root()
    {
        var now = TimeProvider.System.GetUtcNow();
        var role = new Role { Threshold = 1, KeyIds = [_key.KeyId] };
        return new Root
        {
            Schema = Contracts.Signing.Root.CurrentSchema,
            Fleet = "default",
            Version = 1,
            Issued = now,
            Expires = now.AddYears(5),
            Keys = new Dictionary<string, TrustedKey> { [_key.KeyId] = _key.Trusted },
            Roles = new Roles { Root = role, Release = role, Directive = role, Fresh = role },
        };
    }
}

/// <summary>A signed bundle, where it is served.</summary>
internal sealed record Release(Bundle Bundle, Blob Signature, string Location)
{
    public string Id => Bundle.ReleaseId.ToString();
}
