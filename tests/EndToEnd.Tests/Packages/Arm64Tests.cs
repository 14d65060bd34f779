using System.Diagnostics;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>The agent as published for linux-arm64, under qemu with the libraries of Debian's arm64: <c>./build.sh arm64-test</c>.</summary>
public sealed class Arm64Tests : IDisposable
{
    private const string FolderVariable = "DUNLIN_ARM64";
    private const double Tolerance = 1e-4;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _space = new();

    [Fact]
    public async Task AnImageIsClassifiedAsOnX64()
    {
        var frames = await Images.FolderAsync(_space["frames"], 1);
        string[] options = ["--bundle", "/bundle", "--variant", "reference", "--json"];
        var arm = Scores(await ArmAsync(frames, ["classify", "/images/frame-001.jpg", .. options]));
        options[1] = AgentSetup.DemoBundle;
        var (code, output, errors) = await AgentProcess.CallAsync(["classify", Path.Combine(frames, "frame-001.jpg"), .. options]);
        Assert.True(code == 0, errors);
        var x64 = Scores(output);

        Assert.NotEmpty(arm);
        Assert.Equal(x64.Select(score => score.Label), arm.Select(score => score.Label));
        Assert.All(arm.Zip(x64), pair => Assert.Equal(pair.Second.Probability, pair.First.Probability, Tolerance));
    }

    /// <summary>One variant: the golden set of all of them takes qemu more than a minute.</summary>
    [Fact]
    public async Task ARaceHasAWinner()
    {
        var frames = await Images.FolderAsync(_space["frames"], 1);
        var output = await ArmAsync(frames, ["race", "--bundle", "/bundle", "--json", "--set", "Race:BudgetSeconds=2", "--set", $"Race:Variant={DemoVariants.Lightest}"]);
        var verdict = JsonSerializer.Deserialize(output, StrictJson.Default.Verdict)!;
        Assert.NotNull(verdict.Winner);
        Assert.Equal(DemoVariants.Lightest, verdict.Winner.Variant);
        Assert.Contains(verdict.Contenders, contender => contender.Contender == verdict.Winner && contender.RunCount > 0);
        Assert.StartsWith("Arm ", verdict.Conditions.CpuModel, StringComparison.Ordinal);
    }

    /// <summary>Which folder it is, the supervisor asks the kernel by a number that is another on arm64.</summary>
    [Fact]
    public async Task TheServiceClassifiesTheImagesOfACameraFolderThatComesLateAndIsMadeAnew()
    {
        var images = Directory.CreateDirectory(_space["images"]).FullName;
        var frame = Directory.EnumerateFiles(await Images.FolderAsync(_space["frames"], 1)).Single();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        using var agent = Start(images,
        [
            "run", .. Set("Device:Id=arm", "Device:Bundle=/bundle", $"Device:StateDirectory=/tmp/{Path.GetFileName(_space.Path)}", "Updates:AllowUnsigned=true", "Camera:Source=/images/camera",
                "Camera:FramesPerSecond=5", $"Race:Variant={DemoVariants.Lightest}", "Race:MaximumThreads=1", "Race:BudgetSeconds=1", "Results:Every=1", "Mqtt:Host=127.0.0.1", $"Mqtt:Port={broker.Port}"),
        ]);
        try
        {
            await probe.NextAsync("dunlin/v1/default/arm/reported", m => m.Json.GetProperty("camera").GetProperty("state").GetString() == "absent", Patience);
            for (var round = 0; round < 2; round++)
            {
                var seen = probe.Messages.Count;
                var camera = Directory.CreateDirectory(Path.Combine(images, "camera")).FullName;
                // Still empty, so that the worker itself cannot find anything in it.
                await Eventually.TrueAsync(
                    () => probe.Messages.Skip(seen).Any(m => m.Topic.EndsWith("/reported", StringComparison.Ordinal) && m.Text.Contains("has come or was made anew", StringComparison.Ordinal)),
                    $"the folder is noticed, round {round}", Patience);
                File.Copy(frame, Path.Combine(camera, "frame.jpg"));
                seen = probe.Messages.Count;
                await Eventually.TrueAsync(() => probe.Messages.Skip(seen).Any(m => m.Topic.EndsWith("/result", StringComparison.Ordinal)), $"results come, round {round}", Patience);
                Directory.Delete(camera, recursive: true);
                seen = probe.Messages.Count;
                await Eventually.TrueAsync(
                    () => probe.Messages.Skip(seen).Any(m => m.Topic.EndsWith("/reported", StringComparison.Ordinal) && m.Json.GetProperty("camera").GetProperty("state").GetString() == "absent"),
                    $"the camera is missed, round {round}", Patience);
            }

            ProcessTable.Signal(agent.Id, "TERM");
            await agent.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.Equal(0, agent.ExitCode);
        }
        finally
        {
            agent.Kill(entireProcessTree: true);
            Directory.Delete(Path.Join(RepositoryFolder.Root, "artifacts/arm64/root/tmp", Path.GetFileName(_space.Path)), recursive: true);
        }
    }

    public void Dispose() => _space.Dispose();

    private static IEnumerable<string> Set(params string[] assignments) => assignments.SelectMany(assignment => (string[])["--set", assignment]);

    private static List<(string Label, double Probability)> Scores(string line) =>
        [.. JsonElement.Parse(line).GetProperty("scores").EnumerateArray().Select(score => (score.GetProperty("label").GetString()!, score.GetProperty("probability").GetDouble()))];

    /// <summary>Its standard output; what it says on the way goes to the test's.</summary>
    private static async Task<string> ArmAsync(string images, string[] arguments)
    {
        using var process = Start(images, arguments);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("The agent still runs after two minutes.");
        }

        Assert.True(process.ExitCode == 0, await output);
        return await output;
    }

    private static Process Start(string images, string[] arguments)
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (string.IsNullOrEmpty(folder)) Assert.Skip($"{FolderVariable}, the folder published for linux-arm64, is not set: run ./build.sh arm64-test.");
        var start = new ProcessStartInfo(Path.Join(RepositoryFolder.Root, "packaging", "arm64.sh"), ["run", Path.GetFullPath(folder), images, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        var said = TestContext.Current.TestOutputHelper;
        process.ErrorDataReceived += (_, line) => said?.WriteLine(line.Data ?? "");
        process.BeginErrorReadLine();
        return process;
    }
}
