using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>What a device that trusts a root runs, and what it does not.</summary>
public sealed class BundleTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ADeviceWithARootRefusesAnUnsignedBundleSaysSoAndRunsItOnceItIsSigned()
    {
        using var space = new TemporaryFolder();
        using var key = SigningKey.Generate();
        RepositoryFolder.Copy(AgentSetup.DemoBundle, space["bundle"]);
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port) with { Bundle = space["bundle"] };
        new StateFiles(new StateLayout(setup.StateDirectory)).WriteRoot(key.Sign(MediaTypes.Root, Root.Format.Write(RootOf(key))));
        await using var agent = AgentProcess.Run(setup);
        await probe.NextAsync(setup.Topic("reported"), m => m.Json.GetProperty("problems").ToString().Contains("is not signed", StringComparison.Ordinal), Patience);
        Assert.Null(agent.Worker);

        var bundle = Bundle.Open(setup.Bundle);
        bundle.WithSignature(key.Sign(MediaTypes.Manifest, bundle.ManifestBytes));
        var reported = await probe.NextAsync(setup.Topic("reported"), m => m.Json.TryGetProperty("running", out var running) && running.ValueKind == System.Text.Json.JsonValueKind.Object, Patience);
        Assert.True(reported.Json.GetProperty("release").GetProperty("isSigned").GetBoolean());
        Assert.Equal(0, reported.Json.GetProperty("problems").GetArrayLength());
        await probe.NextAsync(setup.Topic("result"), null, Patience);
    }

    private static Root RootOf(SigningKey key)
    {
        var role = new Role { Threshold = 1, KeyIds = [key.KeyId] };
        return SampleRoot.Make() with
        {
            Fleet = "default",
            Keys = new Dictionary<string, TrustedKey> { [key.KeyId] = key.Trusted },
            Roles = new Roles { Root = role, Release = role, Directive = role, Fresh = role },
        };
    }
}
