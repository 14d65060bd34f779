using Dunlin.Agent.RemoteCommands;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Time.Testing;
using Serilog.Core;
using Serilog.Events;

namespace Dunlin.Agent.Tests.RemoteCommands;

public sealed class LogLevelOnCommandTests
{
    [Fact]
    public async Task ALevelHoldsForItsTimeAndTheNextOneCountsFromThenOn()
    {
        var time = new FakeTimeProvider(SampleDocuments.Noon);
        var level = new LoggingLevelSwitch(LogEventLevel.Warning);
        var log = new Lines<LogLevelOnCommand>();
        using var command = new LogLevelOnCommand(level, time, log);
        var result = await command.RunAsync(Asked("debug", 60), TestContext.Current.CancellationToken);
        Assert.Equal(LogEventLevel.Debug, level.MinimumLevel);
        Assert.Equal(new LogLevelChange("debug", SampleDocuments.Noon.AddSeconds(60)), System.Text.Json.JsonSerializer.Deserialize(result.Payload!.Value, MessageJson.Default.LogLevelChange));
        time.Advance(TimeSpan.FromSeconds(40));
        await command.RunAsync(Asked("verbose", 60), TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(LogEventLevel.Verbose, level.MinimumLevel);
        time.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal(LogEventLevel.Warning, level.MinimumLevel);
        Assert.Equal(
        [
            "The log's level is debug until 2026-11-24 12:01:00Z, as signed command 0123456789abcdef asks",
            "The log's level is verbose until 2026-11-24 12:01:40Z, as signed command 0123456789abcdef asks",
            "The log's level is Warning again, as configured",
        ], log.All);
    }

    private static SignedCommand Asked(string level, int seconds) => new()
    {
        Schema = SignedCommand.CurrentSchema, Fleet = "plant-a", Device = "camera-7", BootId = "boot", Nonce = "0123456789abcdef", Name = Command.LogLevel,
        Issued = SampleDocuments.Noon, Expires = SampleDocuments.Noon.AddMinutes(1), Level = level, Seconds = seconds,
    };
}
