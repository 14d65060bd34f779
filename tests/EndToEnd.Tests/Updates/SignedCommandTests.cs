using System.Text.Json;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit.Schemas;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>What a fleet's owner asks of a device by a signature.</summary>
public sealed class SignedCommandTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ADeviceThatAllowsItSendsAFrameExplainsOneAndLogsMoreForAWhile()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Commands:Snapshot=true", "Commands:Explain=true", "Commands:LogLevel=true");
        var snapshot = await AskAsync(board, Command.Snapshot);
        var image = snapshot.GetProperty("image").GetBytesFromBase64();
        Assert.Contains(Directory.EnumerateFiles(first.Frames), frame => File.ReadAllBytes(frame).AsSpan().SequenceEqual(image));
        Assert.Equal((640, 480), (snapshot.GetProperty("width").GetInt32(), snapshot.GetProperty("height").GetInt32()));
        Assert.InRange(snapshot.GetProperty("captured").GetDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-2), TimeProvider.System.GetUtcNow());

        var explanation = await AskAsync(board, Command.Explain);
        Assert.Equal((board.Factory.Id, "plain"), (explanation.GetProperty("release").GetString(), explanation.GetProperty("variant").GetString()));
        var heat = explanation.GetProperty("heat").EnumerateArray().Select(cell => cell.GetDouble()).ToList();
        Assert.Equal(explanation.GetProperty("columns").GetInt32() * explanation.GetProperty("rows").GetInt32(), heat.Count);
        Assert.Equal((0.0, 1.0), (heat.Min(), heat.Max()));
        var seen = board.Probe.Messages.Where(m => m.Topic == board.Setup.Topic("result")).Select(m => m.Json.GetProperty("scores")[0].GetProperty("label").GetString());
        Assert.Contains(explanation.GetProperty("score").GetProperty("label").GetString(), seen);

        Assert.DoesNotContain(" DBG ", board.Agent.Log, StringComparison.Ordinal);
        await AskAsync(board, Command.LogLevel, command => command with { Level = "debug", Seconds = 3600 });
        await board.Agent.SaysAsync("DBG Window of", Patience);
        await AskAsync(board, Command.LogLevel, command => command with { Level = "information", Seconds = 1 });

        var (tried, before) = (board.Owner.Publish(), board.Probe.Messages.Count);
        await board.Owner.PushAsync(tried, board.Setup, board.Probe, new DirectivePolicy { TrialSeconds = 600, MinimumRuns = 5 });
        await board.ServesAsync(tried, before);
        Assert.Equal("explain.trial", await RefusalAsync(board, board.Owner.Ask(Command.Explain, board.Setup, await BootIdAsync(board))));
    }

    [Fact]
    public async Task ADeviceThatAllowsNothingOrIsAskedByNobodyItKnowsKeepsItsPictures()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Commands:Snapshot=true");
        Assert.Equal("command.disabled", await RefusalAsync(board, board.Owner.Ask(Command.Explain, board.Setup, await BootIdAsync(board))));
        Assert.Equal("command.replayed", await RefusalAsync(board, board.Owner.Ask(Command.Snapshot, board.Setup, "another")));
        await using var stranger = new Owner(new TestKit.TemporaryFolder());
        Assert.Equal("command.unsigned", await RefusalAsync(board, stranger.Ask(Command.Snapshot, board.Setup, await BootIdAsync(board))));
        await board.Probe.PublishAsync(board.Setup.Topic("command/snapshot"), "{\"id\":\"plain\"}");
        await board.Probe.NextAsync(board.Setup.Topic("reply"), m => m.Json.TryGetProperty("code", out var code) && code.GetString() == "command.invalid", Patience);
        Assert.DoesNotContain(board.Probe.Messages, m => m.Topic == board.Setup.Topic("reply") && m.Json.TryGetProperty("payload", out _));
    }

    private static async Task<string> BootIdAsync(UpdatedAgent board) => (await board.Probe.NextAsync(board.Setup.Topic("status"), null, Patience)).Json.GetProperty("bootId").GetString()!;

    private static async Task<JsonElement> AskAsync(UpdatedAgent board, string name, Func<SignedCommand, SignedCommand>? change = null)
    {
        var reply = await ReplyAsync(board, board.Owner.Ask(name, board.Setup, await BootIdAsync(board), change));
        Assert.True(reply.GetProperty("ok").GetBoolean(), $"{reply}; the agent said:\n{board.Agent.Log}");
        return reply.GetProperty("payload");
    }

    private static async Task<string?> RefusalAsync(UpdatedAgent board, DsseEnvelope envelope) => (await ReplyAsync(board, envelope)).GetProperty("code").GetString();

    private static async Task<JsonElement> ReplyAsync(UpdatedAgent board, DsseEnvelope envelope)
    {
        var command = SignedCommand.Format.Read(envelope.Payload.Span).Value!;
        await board.Probe.PublishAsync(board.Setup.Topic($"command/{command.Name}"), DsseEnvelope.Format.Write(envelope));
        var reply = await board.Probe.NextAsync(board.Setup.Topic("reply"), m => m.Json.TryGetProperty("id", out var id) && id.GetString() == command.Nonce, Patience);
        SchemaAssert.Valid("reply", reply.Text);
        return reply.Json;
    }
}
