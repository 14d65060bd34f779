using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Fleet.Watching;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace Dunlin.Fleet.Tests.Watching;

public sealed class FleetTableTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FleetView _view;

    public FleetTableTests() => _view = new FleetView("demo", _time);

    [Fact]
    public void ADeviceShowsWhatRunsHowFastAndAtWhatEnergy()
    {
        Report("belt-1", DeviceState.Online);
        var text = Render();
        foreach (var part in (string[])["belt-1", "online", "garments 1.4.0", "narrow-int8", "won the race by 31 %", "bag", "29.3", "0.0068", "estimated", "51"])
            Assert.Contains(part, text, StringComparison.Ordinal);
    }

    [Fact]
    public void WhereAnotherThanTheWantedOneRunsTheDeviceSaysWhyAndNotTheVerdict()
    {
        var verdict = SampleMessages.Race() with { Reason = "narrow-int8: the lowest p95" };
        Apply("belt-1", "race", verdict, MessageJson.Default.Verdict);
        Report("belt-1", DeviceState.Online);
        Assert.Contains("the lowest p95", Render(), StringComparison.Ordinal);
        var reported = Samples.Reported("Wanted narrow-int8, ran narrow-40: the board throttles.");
        Apply("belt-1", "reported", reported with { Running = new ContenderId("narrow-40", "cpu", 1) }, MessageJson.Default.Reported);
        Assert.Contains("ran narrow-40: the board throttles.", Render(), StringComparison.Ordinal);
        Assert.DoesNotContain("the lowest p95", Render(), StringComparison.Ordinal);
    }

    // What a terminal has unless somebody made it wider.
    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(119)]
    [InlineData(120)]
    public void OnANarrowTerminalNoWordIsBroken(int width)
    {
        Report("belt-1", DeviceState.Online);
        var text = Render(24, width);
        foreach (var word in (string[])["belt-1", "online", "garments", "narrow-int8", "won", "race", "bag", "29.3", "0.0068", "estimated", "51"])
            Assert.Contains(word, text, StringComparison.Ordinal);
        if (width < 120) Assert.Contains("J an inference, estimated", string.Join(' ', text.Split([' ', '\n', '│'], StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= width, line));
    }

    [Fact]
    public void ADeviceThatVanishedShowsSo()
    {
        Report("belt-1", DeviceState.Online);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("silent", Render(), StringComparison.Ordinal);
        Report("belt-1", DeviceState.Offline);
        Assert.Contains("offline", Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void ThePercentilesOfAFleetComeFromItsMergedHistograms()
    {
        Report("belt-1", DeviceState.Online, 1000, 990);
        Report("belt-2", DeviceState.Online, 100_000, 10);
        Assert.Contains("p50 1.0, p95 1.0, p99 1.0 ms", Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void AThousandDevicesAreLimitedAndTheTroubledOnesComeFirst()
    {
        for (var i = 0; i < 1000; i++) Report($"belt-{i:D4}", i == 777 ? DeviceState.Offline : DeviceState.Online);
        var text = Render(27);
        Assert.Contains("belt-0777", text, StringComparison.Ordinal);
        Assert.Contains("990 more not shown", text, StringComparison.Ordinal);
        Assert.DoesNotContain("belt-0500", text, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatADeviceSaysIsNoMarkupAndNoEscapeSequence()
    {
        Apply("belt-1", "status", Samples.Status(DeviceState.Online), MessageJson.Default.DeviceStatus);
        Apply("belt-1", "reported", Samples.Reported("[red]x[/ \e[2J"), MessageJson.Default.Reported);
        Assert.Contains("[red]x[/", Render(), StringComparison.Ordinal);
        Assert.DoesNotContain("\e", Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void GarbageIsCounted()
    {
        Assert.Null(_view.Apply("dunlin/v1/demo/belt-1/status", "{"u8));
        Assert.Null(_view.Apply("dunlin/v1/demo/BELT/status", "{}"u8));
        Assert.Equal(2, _view.GarbageCount);
        Assert.Empty(_view.Devices);
    }

    // What a device says while it is told apart from garbage by nothing but its JSON.
    [Theory]
    [InlineData("reported", "\"problems\":[]", "\"problems\":[null]")]
    [InlineData("result", "\"scores\":[", "\"scores\":[null,")]
    [InlineData("telemetry", "\"windowSeconds\":10", "\"windowSeconds\":1e300")]
    [InlineData("telemetry", "\"windowSeconds\":10", "\"windowSeconds\":1e999")]
    [InlineData("telemetry", "\"windowSeconds\":10", "\"windowSeconds\":-1")]
    [InlineData("telemetry", "\"framesPerSecond\":29.3", "\"framesPerSecond\":1e300")]
    [InlineData("telemetry", "\"joulesPerInference\":0.0068", "\"joulesPerInference\":1e300")]
    [InlineData("telemetry", "\"celsius\":51", "\"celsius\":-1e300")]
    [InlineData("telemetry", "\"dropped\":5", "\"dropped\":9223372036854775807")]
    [InlineData("telemetry", "\"p99\":", "\"p99\":1e300,\"x\":")]
    [InlineData("telemetry", "\"buckets\":[3000,293]", "\"buckets\":[3000,9223372036854775807]")]
    [InlineData("telemetry", "\"buckets\":[3000,293]", "\"buckets\":[3000,-1]")]
    public void WhatCannotBeShownIsGarbageAndTheOthersAreShown(string kind, string sound, string broken)
    {
        Report("belt-1", DeviceState.Online);
        Report("belt-2", DeviceState.Online);
        var text = kind switch
        {
            "reported" => JsonSerializer.Serialize(Samples.Reported(), MessageJson.Default.Reported),
            "result" => JsonSerializer.Serialize(SampleMessages.Result(), MessageJson.Default.Classification),
            _ => JsonSerializer.Serialize(Samples.Window(3000, 293), MessageJson.Default.TelemetryWindow),
        };
        Assert.Contains(sound, text, StringComparison.Ordinal);
        Assert.Null(_view.Apply($"dunlin/v1/demo/belt-1/{kind}", System.Text.Encoding.UTF8.GetBytes(text.Replace(sound, broken, StringComparison.Ordinal))));
        Assert.Contains("1 unreadable messages", Render(), StringComparison.Ordinal);
        Assert.Contains("2 of 2 online", Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void AWordThatIsCutInTheMiddleOfACharacterIsDrawn()
    {
        Apply("belt-1", "status", Samples.Status(DeviceState.Online), MessageJson.Default.DeviceStatus);
        Apply("belt-1", "reported", Samples.Reported() with { Problems = [new string('a', 78) + "🦌🦌"] }, MessageJson.Default.Reported);
        Assert.Contains("aaa", Render(), StringComparison.Ordinal);
        Assert.DoesNotContain("\ud83e…", Render(), StringComparison.Ordinal);
    }

    private void Report(string device, DeviceState state, params long[] buckets)
    {
        Apply(device, "status", Samples.Status(state), MessageJson.Default.DeviceStatus);
        Apply(device, "reported", Samples.Reported(), MessageJson.Default.Reported);
        Apply(device, "telemetry", Samples.Window(buckets.Length > 0 ? buckets : [3000, 293]), MessageJson.Default.TelemetryWindow);
    }

    private void Apply<T>(string device, string kind, T message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        _view.Apply($"dunlin/v1/demo/{device}/{kind}", JsonSerializer.SerializeToUtf8Bytes(message, type));

    private string Render(int height = 1000, int width = 400)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        console.Write(FleetTable.Render(_view, width, height));
        return text.ToString();
    }
}
