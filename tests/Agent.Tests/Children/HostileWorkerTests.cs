using Dunlin.Agent.Children;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;

namespace Dunlin.Agent.Tests.Children;

/// <summary>A process that says what a worker in a model's hands might.</summary>
public sealed class HostileWorkerTests : IDisposable
{
    private static readonly SessionSpec Session = SampleWindows.Session(Digest.Of("release"u8));

    private readonly TemporaryFolder _folder = new();
    private readonly List<FrameWindow> _windows = [];
    private FrameSnapshot? _snapshot;

    [Theory]
    [InlineData(10)]
    [InlineData(0.00002)]
    public async Task AWindowThatCanBeIsToldAlsoWhereAChangeOfSessionsEndedItAtOnce(double seconds)
    {
        await ExitOfAsync(SampleWindows.Good() with { WindowSeconds = seconds });
        Assert.Single(_windows);
    }

    [Theory]
    [InlineData("<script>", 2, new long[] { 1, 1 }, "the unit '<script>'")]
    [InlineData("us", 5, new long[] { 1, 1 }, "5 significant digits")]
    [InlineData("us", 2, new long[] { 1 }, "pairs of value and count")]
    [InlineData("us", 2, new long[] { 2, 1, 1, 1 }, "values rise")]
    [InlineData("us", 2, new long[] { 1, -1 }, "counts are above 0")]
    [InlineData("us", 2, new long[] { 1, 1L << 53 }, "is no count")]
    public async Task AHistogramThatCannotBeEndsTheWorkerAndIsNotTold(string unit, int digits, long[] buckets, string sentence)
    {
        var histogram = new Histogram { Unit = unit, SignificantDigits = digits, Buckets = buckets };
        var good = SampleWindows.Good();
        foreach (var window in (FrameWindow[])[good with { Latency = histogram }, good with { Stages = new Dictionary<string, Histogram> { ["inference"] = histogram } }])
        {
            var exit = await ExitOfAsync(window);
            Assert.Equal(ChildExitCodes.Protocol, exit.Code);
            Assert.Contains(sentence, exit.Reason, StringComparison.Ordinal);
        }

        Assert.Empty(_windows);
    }

    [Fact]
    public async Task WhatIsNothingOrTakesNoTimeEndsTheWorkerAndNotTheSupervisor()
    {
        var good = SampleWindows.Good();
        foreach (var window in (FrameWindow[])[good with { Refusals = [null!] }, good with { Stages = new Dictionary<string, Histogram> { ["inference"] = null! } }, good with { WindowSeconds = 1e-300 }])
            Assert.Equal(ChildExitCodes.Protocol, (await ExitOfAsync(window)).Code);
        Assert.Empty(_windows);
    }

    [Fact]
    public async Task AFrameThatNobodyAskedForEndsTheWorker() =>
        Assert.Equal(ChildExitCodes.Protocol, (await ExitOfAsync(Snapshot)).Code);

    [Fact]
    public async Task AFrameThatCanBeIsToldToWhoeverAsked()
    {
        await ExitOfAsync(Snapshot, isAsked: true);
        Assert.Equal(7, _snapshot?.Frame);
    }

    [Fact]
    public async Task AFrameThatCannotBeEndsTheWorkerAndIsNotTold()
    {
        foreach (var bad in (FrameSnapshot[])
        [
            Snapshot with { Image = "<svg onload=…>"u8.ToArray() }, Snapshot with { Image = new byte[Contracts.Messages.Snapshot.MaximumImageByteCount + 1] },
            Snapshot with { Width = 0 }, Snapshot with { Height = 70_000 }, Snapshot with { Frame = -1 }, Snapshot with { Problem = "There is none." },
        ])
        {
            Assert.Equal(ChildExitCodes.Protocol, (await ExitOfAsync(bad, isAsked: true)).Code);
            Assert.Null(_snapshot);
        }
    }

    public void Dispose() => _folder.Dispose();

    private static FrameSnapshot Snapshot => new() { Image = new byte[] { 0xff, 0xd8, 0xff }, Frame = 7, CapturedNanoseconds = 1, Width = 640, Height = 480 };

    private async Task<ChildExit> ExitOfAsync(FromChild message, bool isAsked = false)
    {
        var load = new Load { Session = Session, Camera = new CameraSpec { Kind = CameraKind.Folder, Source = _folder.Path }, Loop = new LoopSpec { WindowMilliseconds = 500 } };
        var life = new WorkerLife(load, new WorkerLimits(), new WorkerEvents { Window = (_, told) => _windows.Add(told) }, TimeProvider.System);
        var words = TestChildren.Saying(_folder, TestChildren.Greeting, new Loaded { Contender = Session.Contender, LoadMilliseconds = 1 }, message);
        var go = _folder["go"];
        await using var child = await ChildProcess.StartAsync(TestChildren.Shell(_folder, $"while ! [ -e '{go}' ]; do sleep 0.01; done; rm '{go}'; {words}"), life.Receive, new Lines<ChildProcess>(), TimeProvider.System);
        life.Begin(child);
        var snapshot = isAsked ? life.SnapshotAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken) : null;
        _folder.File("go", []);
        var exit = await child.Exited.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        life.Ended(exit);
        if (snapshot is not null) _snapshot = await snapshot;
        return exit;
    }
}
