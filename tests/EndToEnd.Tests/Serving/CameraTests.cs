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
        using var space = new Workspace();
        using var socket = new NotifySocket();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port) with { Camera = space.At("camera") };
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
}
