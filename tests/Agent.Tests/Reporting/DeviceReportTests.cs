using System.Text.Json;
using Dunlin.Agent.Children;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Agent.Worker;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Preprocessing;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;

namespace Dunlin.Agent.Tests.Reporting;

public sealed class DeviceReportTests : IAsyncLifetime
{
    private static readonly ContenderId Other = new("fp32", "CPUExecutionProvider", 2);

    private TestDevice _device = null!;

    public async ValueTask InitializeAsync() => _device = await TestDevice.StartAsync();

    [Fact]
    public async Task ReleaseVerdictAndWhatRunsAreReportedRetainedAndInTheStatusLine()
    {
        _device.Report.SetRelease(new ServedRelease(Bundle.Open(RepositoryFolder.DemoBundle), IsSigned: true));
        _device.Report.SetVerdict(SampleMessages.Race());
        _device.Report.WorkerLoaded(SampleMessages.Contender);
        var reported = await NewestAsync(r => r.Running is not null);
        Assert.Equal("garments", reported.Release!.Name);
        Assert.True(reported.Release.IsSigned);
        Assert.Equal((SampleMessages.Contender, SampleMessages.Contender), (reported.Wanted, reported.Running));
        Assert.Equal("int8 has the lowest p95", reported.Reason);
        Assert.Contains(SampleMessages.Contender.ToString(), _device.Status.Text, StringComparison.Ordinal);
        Assert.True((await _device.Probe.NextAsync(_device.Identity.Topics.Reported)).Retain);
        var race = await _device.Probe.NextAsync(_device.Identity.Topics.Race);
        Assert.True(race.Retain);
        SchemaAssert.Valid("race", race.Text);
    }

    [Fact]
    public async Task WantedXAndRanYIsVisibleWithItsReason()
    {
        _device.Report.SetVerdict(SampleMessages.Race());
        _device.Report.WorkerLoaded(Other);
        _device.Report.SetShift("The board throttles.");
        var reported = await NewestAsync(r => r.Reason == "The board throttles.");
        Assert.Equal((SampleMessages.Contender, Other), (reported.Wanted, reported.Running));
    }

    [Fact]
    public async Task AWorkersEndIsAProblemUntilTheNextOneHasLoaded()
    {
        _device.Report.WorkerLoaded(Other);
        _device.Report.WorkerExited(Exit("The worker crashed with SIGSEGV."));
        var reported = await NewestAsync(r => r.WorkerRestartCount == 1);
        Assert.Null(reported.Running);
        Assert.Equal(["The worker crashed with SIGSEGV."], reported.Problems);
        Assert.Contains("SIGSEGV", _device.Status.Text, StringComparison.Ordinal);
        _device.Report.WorkerLoaded(Other);
        Assert.Empty((await NewestAsync(r => r.Running == Other)).Problems);
        _device.Report.WorkerExited(Exit("The worker ended.", new ChildError { Code = "model.load", Detail = "The model has no output 'y'." }));
        Assert.Equal("The model has no output 'y'.", (await NewestAsync(r => r.WorkerRestartCount == 2)).Reason);
    }

    [Fact]
    public async Task OnceAWorkerRunsAgainTheReasonSaysWhyItRunsAndWhyTheLastOneEndedIsKept()
    {
        _device.Report.SetVerdict(SampleMessages.Race());
        _device.Report.WorkerExited(Exit("The worker crashed with SIGSEGV."));
        Assert.Equal("The worker crashed with SIGSEGV.", (await NewestAsync(r => r.WorkerRestartCount == 1)).Reason);
        _device.Report.WorkerLoaded(SampleMessages.Contender);
        var reported = await NewestAsync(r => r.Running is not null);
        Assert.Equal(("int8 has the lowest p95", "The worker crashed with SIGSEGV."), (reported.Reason, reported.WorkerRestartReason));
        _device.Report.SetShift("The board throttles.");
        _device.Report.WorkerExited(Exit("The worker hung."));
        _device.Report.WorkerLoaded(Other);
        Assert.Equal("The board throttles.", (await NewestAsync(r => r.Running == Other)).Reason);
        _device.Report.SetNothingRunning("No release may serve.");
        Assert.Equal("No release may serve.", (await NewestAsync(r => r.Running is null)).Reason);
        _device.Report.SetVerdict(SampleMessages.Race() with { Reason = "Nothing can run here." });
        await NewestAsync(r => r.Reason == "Nothing can run here.");
    }

    [Fact]
    public async Task AChangingFrameRateIsNoNewsButAStallIs()
    {
        var camera = SampleMessages.Camera with { State = "ok", Detail = null };
        _device.Report.SetCamera(camera);
        for (var rate = 20; rate < 30; rate++) _device.Report.SetCamera(camera with { ActualFramesPerSecond = rate });
        _device.Report.SetCamera(camera with { State = "stalled", StallCount = 1, Detail = "No frame for 3 s." });
        var reported = await NewestAsync(r => r.Camera.State == "stalled");
        Assert.Equal(2, reported.Sequence);
        Assert.Equal(["No frame for 3 s."], reported.Problems);
    }

    [Fact]
    public async Task WhatFormerWorkersCountedOfTheCameraIsAdded()
    {
        var seen = new CameraHealth { Camera = "/dev/video0", State = "ok", StallCount = 1, ReconnectCount = 2, CorruptCount = 3, MissedCount = 4 };
        for (var worker = 1; worker <= 3; worker++)
        {
            _device.Report.WorkerStarted();
            _device.Report.SetCamera(seen with { StallCount = 0, ReconnectCount = 0, CorruptCount = 0, MissedCount = 0 });
            _device.Report.SetCamera(seen);
            _device.Report.SetCamera(seen);
            _device.Report.WorkerExited(Exit("The worker crashed."));
        }

        var camera = (await NewestAsync(reported => reported.WorkerRestartCount == 3)).Camera;
        Assert.Equal((3, 6, 9, 12), (camera.StallCount, camera.ReconnectCount, camera.CorruptCount, camera.MissedCount));
    }

    [Fact]
    public async Task AReconnectThatNoWorkerHasNoticedIsCountedOnce()
    {
        var seen = new CameraHealth { Camera = "/dev/video0", State = "ok", StallCount = 0, ReconnectCount = 2, CorruptCount = 0 };
        _device.Report.WorkerStarted();
        _device.Report.SetCamera(seen);
        _device.Report.CameraReconnected();
        _device.Report.SetCamera(seen);
        Assert.Equal(3, (await NewestAsync(reported => reported.Sequence == 2)).Camera.ReconnectCount);
        _device.Report.WorkerStarted();
        _device.Report.SetCamera(seen with { ReconnectCount = 1 });
        Assert.Equal(4, (await NewestAsync(reported => reported.Sequence == 3)).Camera.ReconnectCount);
    }

    [Fact]
    public async Task AProblemIsPublishedOnceAndItsEndToo()
    {
        for (var i = 0; i < 5; i++) _device.Report.SetProblem("broker", "The disk under the outbox is full.");
        Assert.Equal(1, (await NewestAsync(r => r.Problems.Count == 1)).Sequence);
        for (var i = 0; i < 5; i++) _device.Report.SetProblem("broker", null);
        Assert.Equal(2, (await NewestAsync(r => r.Problems.Count == 0)).Sequence);
    }

    [Theory]
    [InlineData(50, 0, "none can be decoded: they claim more than", FrameStatus.TooLarge)]
    [InlineData(50, 0, "is wrong with it; or they have more or fewer bytes", FrameStatus.Corrupt, FrameStatus.WrongLength)]
    [InlineData(0, 50, "finite number")]
    public async Task AWindowInWhichNothingWasClassifiedIsAProblemUntilOneThatIsBetter(long corrupt, long nonFinite, string problem, params FrameStatus[] refusals)
    {
        var window = SampleWindows.Good();
        var bad = window with { Frames = window.Frames with { Classified = 0, Corrupt = corrupt }, NonFiniteCount = nonFinite, Refusals = [.. refusals.Select(Refusal.Of)] };
        for (var i = 0; i < 3; i++) _device.Report.SetFrames(bad);
        var reported = await NewestAsync(r => r.Problems.Count == 1);
        Assert.Equal(1, reported.Sequence);
        Assert.Contains(problem, reported.Problems[0], StringComparison.Ordinal);
        _device.Report.SetFrames(bad with { Frames = bad.Frames with { Classified = 1 } });
        Assert.Equal(2, (await NewestAsync(r => r.Problems.Count == 0)).Sequence);
    }

    [Fact]
    public void CorruptFramesWhoseReasonCameWithAnotherWindowMakeNoHalfSentence()
    {
        var window = SampleWindows.Good();
        Assert.Null(FrameProblem.Of(window with { Frames = window.Frames with { Classified = 0, Corrupt = 1 }, Refusals = [] }));
    }

    public ValueTask DisposeAsync() => _device.DisposeAsync();

    private static WorkerExit Exit(string reason, ChildError? error = null) =>
        new(new ChildExit { Code = ChildExitCodes.Crashed, Reason = reason }, Served: error is null, error);

    private async Task<Reported> NewestAsync(Func<Reported, bool> fits)
    {
        var message = await _device.NewestAsync(_device.Identity.Topics.Reported, message => fits(Read(message)));
        SchemaAssert.Valid("reported", message.Text);
        return Read(message);
    }

    private static Reported Read(ProbedMessage message) => JsonSerializer.Deserialize(message.Payload, MessageJson.Default.Reported)!;
}
