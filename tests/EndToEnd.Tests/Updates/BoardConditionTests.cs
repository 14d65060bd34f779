using System.Text.Json;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Schemas;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>Bit rot, a freeze, a disk that turns read-only, and nonsense on the topics (docs/promises.md, rows 6, 18, 19, 25).</summary>
public sealed class BoardConditionTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task AFlippedByteIsFoundBeforeTheLoadAndTheReleaseIsFetchedAgain()
    {
        await using var board = await UpdatedAgent.StartAsync(first);
        var release = board.Owner.Publish();
        await board.CommitsAsync(await board.Owner.PushAsync(release, board.Setup, board.Probe));
        await board.Agent.DisposeAsync();
        var blob = board.Layout.Blob(release.Bundle.Manifest.Variants[0].Blob.Digest);
        var bytes = File.ReadAllBytes(blob);
        bytes[bytes.Length / 2] ^= 1;
        File.Delete(blob);
        File.WriteAllBytes(blob, bytes);
        var before = board.Probe.Messages.Count;
        board.Owner.Server.IsOpen = false;
        await board.KillAndStartAsync();
        // Its only variant is damaged, so the factory bundle serves until it is whole.
        await board.ServesAsync(board.Factory, before);
        var (code, text, _) = await AgentProcess.CallAsync("status", "--json", "--set", $"Device:StateDirectory={board.Setup.StateDirectory}");
        Assert.Equal(1, code);
        Assert.False(JsonElement.Parse(text).GetProperty("active").GetProperty("isComplete").GetBoolean());
        board.Owner.Server.IsOpen = true;
        await board.ServesAsync(release, board.Probe.Messages.Count);
        await Eventually.TrueAsync(() => board.State == UpdateState.Idle, () => $"it is over; the agent said:\n{board.Agent.Log}", Patience);
        (code, text, _) = await AgentProcess.CallAsync("status", "--json", "--set", $"Device:StateDirectory={board.Setup.StateDirectory}");
        Assert.Equal(0, code);
        var status = JsonElement.Parse(text);
        Assert.Equal((release.Id, release.Id, "committed"), (status.GetProperty("active").GetProperty("id").GetString(), status.GetProperty("lastGood").GetProperty("id").GetString(), status.GetProperty("lastResult").GetString()));
        board.InvariantsHold();
    }

    [Fact]
    public async Task WithoutFreshDocumentsTheDeviceIsStaleAndInstallsNothingUntilTheNext()
    {
        await using var board = await UpdatedAgent.StartAsync(first);
        await board.Probe.PublishAsync(board.Setup.Topic("fresh"), DsseEnvelope.Format.Write(board.Owner.Fresh(board.Setup, TimeSpan.FromSeconds(3))), retain: true);
        var stale = await board.Probe.NextAsync(board.Setup.Topic("reported"), m => Conditions(m.Json).Contains("STALE"), Patience);
        SchemaAssert.Valid("reported", stale.Text);
        var release = board.Owner.Publish();
        var directive = await board.Owner.PushAsync(release, board.Setup, board.Probe);
        await board.Agent.SaysAsync("fresh.stale", Patience);
        Assert.Null(board.Active);
        await board.Probe.PublishAsync(board.Setup.Topic("fresh"), DsseEnvelope.Format.Write(board.Owner.Fresh(board.Setup, TimeSpan.FromDays(1))), retain: true);
        await board.CommitsAsync(directive);
        Assert.Empty(Conditions((await board.Probe.NextAsync(board.Setup.Topic("reported"), m => m.Json.GetProperty("update").GetProperty("state").GetString() == "committed", Patience)).Json));
    }

    [Fact]
    public async Task AHundredMessagesOfNonsenseDoNotKeepTheNextDirectiveFromComing()
    {
        await using var board = await UpdatedAgent.StartAsync(first);
        var release = board.Owner.Publish();
        var genuine = board.Owner.Direct(release, board.Setup);
        for (var i = 0; i < 25; i++)
        {
            await board.Probe.PublishAsync(board.Setup.Topic("desired"), [(byte)i, 0xFF, (byte)'{']);
            await board.Probe.PublishAsync(board.Setup.Topic("desired"), DsseEnvelope.Format.Write(genuine with { Signatures = [] }));
            await board.Probe.PublishAsync(board.Setup.Topic("fresh"), new string('[', 20_000));
            await board.Probe.PublishAsync("dunlin/v1/default/root", "{\"schema\":\"dunlin.root-chain.v1\",\"roots\":[null]}");
        }

        await board.Probe.PublishAsync(board.Setup.Topic("desired"), DsseEnvelope.Format.Write(genuine), retain: true);
        await board.CommitsAsync(Contracts.Artifacts.Digest.Of(genuine.Payload.Span));
        Assert.False(board.Agent.HasExited);
    }

    [Fact]
    public async Task WhenTheStateDirectoryTurnsReadOnlyInferenceGoesOnAndTheDeviceSaysSo()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may mount, and so make a directory read-only under a running agent.");
        await using var board = await UpdatedAgent.StartAsync(first);
        var state = board.Setup.StateDirectory;
        board.Owner.Server.BytesPerSecond = 20_000;
        var directive = await board.Owner.PushAsync(board.Owner.Publish(), board.Setup, board.Probe);
        await Eventually.TrueAsync(() => board.State == UpdateState.Fetching, "it fetches", Patience);
        // Mounted over itself: what is opened from now on is on a file system that takes no writes. By way of another place, since
        // what has open files cannot be made read-only.
        var aside = Directory.CreateTempSubdirectory("dunlin-read-only-").FullName;
        if (Tool.Run("mount", "--bind", "-o", "ro", state, aside) != 0) Assert.Skip("This sandbox lets nobody mount.");
        try
        {
            Assert.Equal(0, Tool.Run("mount", "--bind", aside, state));
            await board.Probe.NextAsync(board.Setup.Topic("reported"), m => Conditions(m.Json).Contains("READ_ONLY"), Patience);
            await board.ServesAsync(board.Factory, board.Probe.Messages.Count);
            Assert.False(board.Agent.HasExited);
        }
        finally
        {
            Tool.Run("umount", "-l", state);
            Tool.Run("umount", "-l", aside);
            Directory.Delete(aside);
        }

        board.Owner.Server.BytesPerSecond = 0;
        var outcome = await Owner.OutcomeAsync(directive, board.Setup, board.Probe, board.Agent);
        Assert.Contains(outcome.GetProperty("result").GetString(), (string[])["committed", "rejected"]);
        await Eventually.TrueAsync(() => Conditions(board.Probe.Messages.Last(m => m.Topic == board.Setup.Topic("reported")).Json).Count == 0, "the device is well again", Patience);
        board.InvariantsHold();
    }

    [Fact]
    public async Task AnAgentThatStartsOnAReadOnlyDiskServesWhatItHasAndInstallsWhenItMayWrite()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may mount.");
        await using var board = await UpdatedAgent.StartAsync(first);
        var good = board.Owner.Publish();
        await board.CommitsAsync(await board.Owner.PushAsync(good, board.Setup, board.Probe));
        await Eventually.TrueAsync(() => File.ReadAllText(board.Layout.Journal).Contains("\"idle\"", StringComparison.Ordinal), "the update is over", Patience);
        await board.Agent.DisposeAsync();
        var state = board.Setup.StateDirectory;
        if (Tool.Run("mount", "--bind", "-o", "ro", state, state) != 0) Assert.Skip("This sandbox lets nobody mount.");
        Digest directive;
        try
        {
            var before = board.Probe.Messages.Count;
            await board.KillAndStartAsync();
            await board.ServesAsync(good, before);
            await board.Probe.NextAsync(board.Setup.Topic("reported"), m => Conditions(m.Json).Contains("READ_ONLY"), Patience);
            directive = await board.Owner.PushAsync(board.Owner.Publish(), board.Setup, board.Probe);
            await board.Agent.SaysAsync("disk.read-only", Patience);
            await board.ServesAsync(good, board.Probe.Messages.Count);
            Assert.False(board.Agent.HasExited, board.Agent.Log);
        }
        finally
        {
            Tool.Run("umount", "-l", state);
        }

        await board.CommitsAsync(directive);
        board.InvariantsHold();
    }

    [Fact]
    public async Task AnErrorOfTheDiskThatMakesExt4ReadOnlyStopsNoFrameAndARepairEndsTheUpdate()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may mount.");
        using var disk = Ext4.TryMake("errors=remount-ro");
        if (disk is null) Assert.Skip("This sandbox has no loop devices, or no way to make ext4 fail.");
        await using var board = await UpdatedAgent.StartAsync(first, setup => setup with { StateDirectory = Path.Combine(disk.Folder, "state") });
        var good = board.Owner.Publish();
        await board.CommitsAsync(await board.Owner.PushAsync(good, board.Setup, board.Probe));
        board.Owner.Server.BytesPerSecond = 20_000;
        var directive = await board.Owner.PushAsync(board.Owner.Publish(), board.Setup, board.Probe);
        await Eventually.TrueAsync(() => board.State == UpdateState.Fetching, "it fetches", Patience);
        disk.Fail();
        await board.Probe.NextAsync(board.Setup.Topic("reported"), m => Conditions(m.Json).Contains("READ_ONLY"), Patience);
        await board.ServesAsync(good, board.Probe.Messages.Count);
        Assert.False(board.Agent.HasExited, board.Agent.Log);
        board.Owner.Server.BytesPerSecond = 0;
        await board.Agent.DisposeAsync();
        await disk.RepairAsync();
        await board.KillAndStartAsync();
        await board.CommitsAsync(directive);
        board.InvariantsHold();
        await board.Agent.DisposeAsync();
    }

    // Row 42 of the safety promises: libfaketime gives the whole process another clock, as a board without a battery has.
    [Fact]
    public async Task ABoardThatBelievesIn1970TakesWhatIsSignedNowAndNothingThatHasExpired()
    {
        const string library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
        if (!File.Exists(library)) Assert.Skip("faketime is not installed; ./build.sh test installs it.");
        await using var board = await UpdatedAgent.StartAsync(first, setup => setup with
        {
            Environment = new Dictionary<string, string> { ["LD_PRELOAD"] = library, ["FAKETIME"] = "@1970-01-02 03:04:05", ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1" },
        });
        Assert.StartsWith("1970", (await board.Probe.NextAsync(board.Setup.Topic("result"), null, Patience)).Json.GetProperty("captured").GetString(), StringComparison.Ordinal);
        await board.CommitsAsync(await board.Owner.PushAsync(board.Owner.Publish(), board.Setup, board.Probe));
        var expired = board.Owner.Direct(board.Owner.Publish(), board.Setup, at: TimeProvider.System.GetUtcNow().AddDays(-2));
        await board.Probe.PublishAsync(board.Setup.Topic("desired"), DsseEnvelope.Format.Write(expired), retain: true);
        var outcome = await Owner.OutcomeAsync(Digest.Of(expired.Payload.Span), board.Setup, board.Probe, board.Agent);
        Assert.Equal(("rejected", "directive.expired"), (outcome.GetProperty("result").GetString(), outcome.GetProperty("reason").GetString()));
        await board.CommitsAsync(await board.Owner.PushAsync(board.Owner.Publish(), board.Setup, board.Probe));
        board.InvariantsHold();
    }

    private static List<string?> Conditions(JsonElement reported) =>
        reported.GetProperty("update").TryGetProperty("conditions", out var conditions) ? [.. conditions.EnumerateArray().Select(c => c.GetString())] : [];
}
