using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Systemd;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Serving;

public sealed class CameraTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task WithoutItsCameraTheServiceIsReadyAndSaysSoAndResultsBeginWhenItComes()
    {
        using var space = new TemporaryFolder();
        using var socket = new NotifySocket();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port) with { Camera = space["camera"] };
        await using var agent = AgentProcess.Run(setup, socket.Path);
        await Eventually.TrueAsync(() => socket.CountOf("READY=1") == 1, () => $"READY; the agent said:\n{agent.Log}", Patience);
        await Eventually.TrueAsync(
            () => socket.Messages.Any(m => m.StartsWith("STATUS=", StringComparison.Ordinal) && m.Contains(setup.Camera, StringComparison.Ordinal)),
            () => $"the status names the camera: {string.Join(" | ", socket.Messages)}", Patience);
        var reported = await probe.NextAsync(setup.Topic("reported"), m => m.Json.GetProperty("camera").GetProperty("state").GetString() == "absent", Patience);
        Assert.Contains(setup.Camera, reported.Json.GetProperty("problems").ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(probe.Messages, m => m.Topic == setup.Topic("result"));

        RepositoryFolder.Copy(first.Frames, setup.Camera);
        await probe.NextAsync(setup.Topic("result"), null, Patience);
        var seen = probe.Messages.Count;
        await Eventually.TrueAsync(
            () => probe.Messages.Skip(seen).Any(m => m.Topic == setup.Topic("reported") && m.Json.GetProperty("camera").GetProperty("state").GetString() == "ok" && m.Json.GetProperty("problems").GetArrayLength() == 0),
            "the camera is no problem any more", Patience);
    }

    [Fact]
    public async Task FramesThatCannotBeDecodedAndASensorThatIsNotThereAreReportedAndGoodFramesEndIt()
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var camera = Directory.CreateDirectory(space["camera"]).FullName;
        var good = Directory.EnumerateFiles(first.Frames).First();
        Images.Enormous(good, Path.Combine(camera, "enormous.jpg"));
        Images.Truncated(good, Path.Combine(camera, "cut.jpg"));
        var setup = first.Again(space, broker.Port) with { Camera = camera };
        await using var agent = AgentProcess.Run(setup with { Set = ["Power:Kind=ina219"] });
        var reported = await probe.NextAsync(setup.Topic("reported"), m => m.Text.Contains("none can be decoded: they are cut or damaged", StringComparison.Ordinal) && m.Text.Contains("or they claim more than", StringComparison.Ordinal), Patience);
        Assert.Contains("INA219 at 0x40 on /dev/i2c-1", reported.Text, StringComparison.Ordinal);
        Assert.Equal("ok", reported.Json.GetProperty("camera").GetProperty("state").GetString());
        var window = (await probe.NextAsync(setup.Topic("telemetry"), m => m.Json.GetProperty("frames").GetProperty("corrupt").GetInt64() > 0, Patience)).Json;
        Assert.False(window.GetProperty("energy").TryGetProperty("measured", out var measured) && measured.ValueKind != System.Text.Json.JsonValueKind.Null);
        await agent.SaysAsync("Power meter failed: INA219 at 0x40", Patience);
        Assert.DoesNotContain(probe.Messages, m => m.Topic == setup.Topic("result"));

        File.Copy(good, Path.Combine(camera, "good.jpg"));
        var seen = probe.Messages.Count;
        await probe.NextAsync(setup.Topic("result"), null, Patience);
        await Eventually.TrueAsync(
            () => probe.Messages.Skip(seen).Any(m => m.Topic == setup.Topic("reported") && m.Json.GetProperty("problems").GetArrayLength() == 1), "only the sensor is missing", Patience);
    }
}
