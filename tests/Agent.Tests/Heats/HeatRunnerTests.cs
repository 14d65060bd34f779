using System.Buffers.Binary;
using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.ModelCheck;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Agent.Tests.Heats;

/// <summary>Row 33 of the promises: a hostile model costs a throwaway process and nothing else.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class HeatRunnerTests : IDisposable
{
    private const long Megabyte = 1024 * 1024;

    private readonly TemporaryFolder _folder = new();

    /// <summary>The code of a run that ended in ONNX Runtime's own error: here, that it got no more memory.</summary>
    private const string RefusedMemory = "model.run";

    /// <summary>Some hang at load, the others when they run; on a busy machine the time is over before the memory is. Those that hang do so side by side.</summary>
    public static TheoryData<Bomb[]> Bombs { get; } = new()
    {
        new Bomb[]
        {
            new(nameof(HostileModels.HangsInNestedFunctions), [ChildExitCodes.TimedOut, ChildExitCodes.OutOfMemory]),
            new(nameof(HostileModels.NeverEnds), [ChildExitCodes.TimedOut]),
        },
        new Bomb[] { new(nameof(HostileModels.OverflowsTheStack), [ChildExitCodes.Crashed]) },
        new Bomb[] { new(nameof(HostileModels.EatsMemory), [ChildExitCodes.OutOfMemory, RefusedMemory, ChildExitCodes.TimedOut]) },
        new Bomb[] { new(nameof(HostileModels.Garbage), ["model.load"]) },
    };

    [Theory]
    [MemberData(nameof(Bombs), DisableDiscoveryEnumeration = true)]
    public async Task AHostileModelIsAVerdictWithinTenSecondsAndCostsTheSupervisorNothing(Bomb[] bombs)
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the image, is not installed.");
        var image = await RedAsync();
        var before = Environment.WorkingSet;
        var started = Stopwatch.GetTimestamp();
        var outcomes = await Task.WhenAll(bombs.Select(bomb => Runner().RunAsync(
            new Classify { Session = TestChildren.Session(_folder, bomb.Model, bomb.Name), Images = [image], TopCount = 1 }, new HeatLimits(), TestContext.Current.CancellationToken)));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 10);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 20 * Megabyte);
        foreach (var (bomb, outcome) in bombs.Zip(outcomes))
        {
            if (outcome.Code == RefusedMemory) Assert.Contains("Failed to allocate memory", outcome.Reason, StringComparison.Ordinal);
            Assert.Null(outcome.Answer);
            // One that had no time on a core is not called a hang: so it is where the machine stood still for half of the heat.
            var code = outcome.Code == ChildExitCodes.Starved && outcome.CpuTime < new HeatLimits().WallTime / 4 ? ChildExitCodes.TimedOut : outcome.Code;
            Assert.True(bomb.Codes.Contains(code), $"{bomb.Name}: {outcome.Code}: {outcome.Reason}");
            Assert.InRange(outcome.PeakByteCount, 0, 1300 * Megabyte);
        }
    }

    [Fact]
    public async Task AGoodModelAnswersWhatTheHostileOnesAreAsked()
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the image, is not installed.");
        var request = new Classify { Session = TestChildren.Session(_folder, OnnxModels.Tiny(), "good"), Images = [await RedAsync()], TopCount = 1 };
        var outcome = await Runner().RunAsync(request, new HeatLimits(), TestContext.Current.CancellationToken);
        Assert.True(outcome.Answer is Classified { Images: [{ Error: null, Scores: [_] }] }, $"{outcome.Code}: {outcome.Reason}");
    }

    [Fact]
    public async Task AModelThatRunsOverItsCpuTimeIsNamedAsThatAndNotAsAWantOfMemory()
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the image, is not installed.");
        var request = new Classify { Session = TestChildren.Session(_folder, HostileModels.NeverEnds(), "bomb"), Images = [await RedAsync()], TopCount = 1 };
        var limits = new HeatLimits { CpuTime = TimeSpan.FromSeconds(2), WallTime = TimeSpan.FromSeconds(60) };
        var outcome = await Runner().RunAsync(request, limits, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.CpuLimit, outcome.Code);
        Assert.Contains("CPU time", outcome.Reason, StringComparison.Ordinal);
        // Linux limits by whole ticks and measures by the nanosecond: on a busy machine the one runs ahead of the other.
        Assert.InRange(outcome.CpuTime.TotalSeconds, 1, 4);
    }

    [Fact]
    public async Task TheStaticCheckAnswersFromAProcessWithoutOnnxRuntime()
    {
        var model = OnnxModels.Tiny();
        var started = Stopwatch.GetTimestamp();
        var good = await Runner().RunAsync(CheckOf(model, "good"), Vetting.CheckLimits, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms, {good.PeakByteCount / Megabyte} MB");
        Assert.True(good.Answer is ModelChecked { NodeCount: 5 }, $"{good.Code}: {good.Reason}");
        Assert.Equal("", good.Ready?.OnnxRuntimeVersion);
        var bad = await Runner().RunAsync(CheckOf(HostileModels.OverflowsTheStack(), "bad"), Vetting.CheckLimits, TestContext.Current.CancellationToken);
        Assert.Null(bad.Answer);
        Assert.Equal(CheckCodes.Domain, bad.Code);
    }

    [Fact]
    public async Task ALibraryOfAnotherVersionIsRefusedAndNotHeldAgainstTheModel()
    {
        var script = TestChildren.Saying(_folder, TestChildren.Greeting with { OnnxRuntimeVersion = "1.0.0" });
        var host = TestChildren.Host(_folder) with { Executable = "/bin/sh", Prefix = ["-c", script] };
        var outcome = await new HeatRunner(host, new Lines<HeatRunner>(), TimeProvider.System)
            .RunAsync(CheckOf(OnnxModels.Tiny(), "good"), Vetting.CheckLimits, TestContext.Current.CancellationToken);
        Assert.Null(outcome.Ready);
        Assert.Contains($"is version 1.0.0, the agent was built with {OnnxRuntime.Version}; install both from one package.", outcome.Reason, StringComparison.Ordinal);
        Assert.False(Vetting.IsOfTheModel(outcome.Code), outcome.Code);
    }

    [Theory]
    [InlineData("exit 137")]
    [InlineData("exit 72")]
    [InlineData("kill -SEGV $$")]
    public async Task WhoEndsBeforeItsGreetingHasOpenedNoModelAndNothingIsHeldAgainstThat(string script)
    {
        var host = TestChildren.Host(_folder) with { Executable = "/bin/sh", Prefix = ["-c", script] };
        var outcome = await new HeatRunner(host, new Lines<HeatRunner>(), TimeProvider.System)
            .RunAsync(CheckOf(OnnxModels.Tiny(), "good"), Vetting.CheckLimits, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.NotStarted, outcome.Code);
        Assert.False(Vetting.IsOfTheModel(outcome.Code));
        Assert.Contains("The walk", outcome.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("while :; do :; done", ChildExitCodes.TimedOut, true)]
    [InlineData("sleep 60", ChildExitCodes.Starved, false)]
    public async Task WhoHadNoTimeOnACoreIsNotTakenForAModelThatHangs(string then, string code, bool isOfTheModel)
    {
        var script = TestChildren.Saying(_folder, TestChildren.Greeting).Replace("exit 3", then, StringComparison.Ordinal);
        var host = TestChildren.Host(_folder) with { Executable = "/bin/sh", Prefix = ["-c", script] };
        HeatOutcome outcome;
        var wallTime = TimeSpan.FromSeconds(2);
        // Where the machine stood still or has little left for the one that wants it, that had no time on a core either, and gets longer.
        do
        {
            var limits = new HeatLimits { WallTime = wallTime, CpuTime = TimeSpan.FromSeconds(60) };
            outcome = await new HeatRunner(host, new Lines<HeatRunner>(), TimeProvider.System).RunAsync(CheckOf(OnnxModels.Tiny(), "good"), limits, TestContext.Current.CancellationToken);
            wallTime *= 2;
        }
        while (isOfTheModel && outcome.CpuTime < wallTime / 8 && wallTime < TimeSpan.FromSeconds(20));
        Assert.Equal((code, isOfTheModel), (outcome.Code, Vetting.IsOfTheModel(outcome.Code)));
    }

    [Fact]
    public async Task AGreetingThatIsPartlyNothingEndsTheHeatAndNotTheSupervisor()
    {
        var host = TestChildren.Host(_folder) with { Executable = "/bin/sh", Prefix = ["-c", TestChildren.Saying(_folder, TestChildren.Greeting with { MissingSandbox = [null!] })] };
        var outcome = await new HeatRunner(host, new Lines<HeatRunner>(), TimeProvider.System)
            .RunAsync(CheckOf(OnnxModels.Tiny(), "good"), Vetting.CheckLimits, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.NotStarted, outcome.Code);
    }

    [Fact]
    public async Task AModelIsPreparedIntoTwoFiles()
    {
        var request = new Prepare { Session = TestChildren.Session(_folder, OnnxModels.Tiny()), OutputDirectory = _folder.Sub("cache") };
        var outcome = await Runner().RunAsync(request, new HeatLimits { WallTime = TimeSpan.FromSeconds(30) }, TestContext.Current.CancellationToken);
        Assert.True(outcome.Code == HeatOutcome.Answered, $"{outcome.Code}: {outcome.Reason}");
        Assert.IsType<Prepared>(outcome.Answer);
        Assert.Equal(2, Directory.GetFiles(request.OutputDirectory).Length);
        Assert.Equal(OnnxRuntime.Version, outcome.Ready?.OnnxRuntimeVersion);
    }

    [Fact]
    public async Task ImagesAreClassifiedAndABadOneIsAnErrorOfItsOwn()
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the image, is not installed.");
        var red = await RedAsync();
        var bad = _folder.File("bad.jpg", "no image"u8.ToArray());
        var cut = _folder.File("cut.jpg", (await File.ReadAllBytesAsync(red, TestContext.Current.CancellationToken))[..^20]);
        var huge = _folder.File("huge.jpg", Claiming(await File.ReadAllBytesAsync(red, TestContext.Current.CancellationToken), 16383));
        var request = new Classify { Session = TestChildren.Session(_folder, OnnxModels.BrightestChannel(), classes: 3), Images = [red, bad, cut, huge], TopCount = 2 };
        var outcome = await Runner().RunAsync(request, new HeatLimits { WallTime = TimeSpan.FromSeconds(30) }, TestContext.Current.CancellationToken);
        var classified = Assert.IsType<Classified>(outcome.Answer);
        Assert.Equal(0, classified.Images[0].Scores[0].Index);
        Assert.Contains("no JPEG", classified.Images[1].Error, StringComparison.Ordinal);
        Assert.Contains("incomplete or damaged", classified.Images[2].Error, StringComparison.Ordinal);
        Assert.Contains("huge.jpg' claims 16383 × 16383 pixels; an image may have 16777216. Make it smaller.", classified.Images[3].Error, StringComparison.Ordinal);
        Assert.All(classified.Images.Skip(1), image => Assert.Empty(image.Scores));
    }

    [Fact]
    public async Task TheHeatOfAFrameIsWhereTheModelLooksInThePartThatItSees()
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the image, is not installed.");
        var frame = await ImageAsync("color=gray:size=640x480,drawbox=x=440:y=0:w=120:h=120:color=red:t=fill", "frame.jpg");
        var session = TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 10), classes: 3);
        session = session with { Input = session.Input with { Fit = Contracts.Manifests.FitMode.CenterCrop } };
        var request = new ExplainFrame { Session = session, Image = await File.ReadAllBytesAsync(frame, TestContext.Current.CancellationToken) };
        var outcome = await Runner().RunAsync(request, new HeatLimits { WallTime = TimeSpan.FromSeconds(30) }, TestContext.Current.CancellationToken);
        var explained = Assert.IsType<FrameExplained>(outcome.Answer);
        Assert.Equal(0, explained.Score.Index);
        Assert.Equal((0.125, 0.0, 0.75, 1.0), (explained.Area.X, explained.Area.Y, explained.Area.Width, explained.Area.Height));
        var hottest = explained.Heat.Index().MaxBy(cell => cell.Item).Index;
        // Of the square that is seen, the box is the upper right quarter of a quarter.
        Assert.InRange((hottest % explained.Columns + 0.5) / explained.Columns, 0.75, 1);
        Assert.InRange((hottest / explained.Columns + 0.5) / explained.Rows, 0, 0.25);
        Assert.InRange(explained.Heat[explained.Columns * (explained.Rows - 1)], 0, 0.3);
        var broken = await Runner().RunAsync(request with { Image = request.Image[..200] }, new HeatLimits { WallTime = TimeSpan.FromSeconds(30) }, TestContext.Current.CancellationToken);
        Assert.Equal("frame.unreadable", broken.Code);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The same image with another size in its frame header (SOF0: marker, length, precision, height, width).</summary>
    private static byte[] Claiming(byte[] jpeg, ushort size)
    {
        var at = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xff, 0xc0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(at + 5), size);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(at + 7), size);
        return jpeg;
    }

    private CheckModel CheckOf(byte[] model, string variant)
    {
        var session = TestChildren.Session(_folder, model, variant);
        return new CheckModel
        {
            ModelPath = session.ModelPath,
            ByteCount = model.Length,
            Operators = ["Conv", "Flatten", "Gemm", "GlobalAveragePool", "Relu", "local:f0"],
            Input = session.Input,
            Output = session.Output,
            ClassCount = session.Labels.Count,
        };
    }

    private Task<string> RedAsync() => ImageAsync("color=red:size=64x64", "red.jpg");

    private async Task<string> ImageAsync(string filter, string name)
    {
        var path = Path.Combine(_folder.Path, name);
        using var ffmpeg = Process.Start("/usr/bin/ffmpeg", ["-v", "error", "-f", "lavfi", "-i", filter, "-frames:v", "1", path]);
        await ffmpeg.WaitForExitAsync(TestContext.Current.CancellationToken);
        return path;
    }

    private HeatRunner Runner() => new(TestChildren.Host(_folder), new Lines<HeatRunner>(), TimeProvider.System);

    /// <summary>A model, and how its heat may end.</summary>
    public sealed record Bomb(string Name, string[] Codes)
    {
        public byte[] Model => Name switch
        {
            nameof(HostileModels.HangsInNestedFunctions) => HostileModels.HangsInNestedFunctions(),
            nameof(HostileModels.OverflowsTheStack) => HostileModels.OverflowsTheStack(),
            nameof(HostileModels.EatsMemory) => HostileModels.EatsMemory(),
            nameof(HostileModels.NeverEnds) => HostileModels.NeverEnds(),
            _ => HostileModels.Garbage,
        };
    }
}
