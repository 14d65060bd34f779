using System.Diagnostics;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>The agent as published for linux-arm64, under qemu with the libraries of Debian's arm64: <c>./build.sh arm64-test</c>.</summary>
public sealed class Arm64Tests : IDisposable
{
    private const string FolderVariable = "DUNLIN_ARM64";
    private const double Tolerance = 1e-4;
    private readonly Workspace _space = new();

    [Fact]
    public async Task AnImageIsClassifiedAsOnX64()
    {
        var frames = await Images.FolderAsync(_space.At("frames"), 1);
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
        var frames = await Images.FolderAsync(_space.At("frames"), 1);
        var output = await ArmAsync(frames, ["race", "--bundle", "/bundle", "--json", "--set", "Race:BudgetSeconds=2", "--set", "Race:Variant=narrow-int8"]);
        var verdict = JsonSerializer.Deserialize(output, StrictJson.Default.Verdict)!;
        Assert.NotNull(verdict.Winner);
        Assert.Equal("narrow-int8", verdict.Winner.Variant);
        Assert.Contains(verdict.Contenders, contender => contender.Contender == verdict.Winner && contender.RunCount > 0);
        Assert.StartsWith("Arm ", verdict.Conditions.CpuModel, StringComparison.Ordinal);
    }

    public void Dispose() => _space.Dispose();

    private static List<(string Label, double Probability)> Scores(string line) =>
        [.. JsonElement.Parse(line).GetProperty("scores").EnumerateArray().Select(score => (score.GetProperty("label").GetString()!, score.GetProperty("probability").GetDouble()))];

    private static async Task<string> ArmAsync(string images, string[] arguments)
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not { Length: > 0 } folder)
        {
            Assert.Skip($"{FolderVariable}, the folder published for linux-arm64, is not set: run ./build.sh arm64-test.");
            return "";
        }

        var start = new ProcessStartInfo(Path.Join(RepositoryFolder.Root, "packaging", "arm64.sh"), ["run", Path.GetFullPath(folder), images, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The agent still runs after two minutes. It said:\n{await errors}");
        }

        Assert.True(process.ExitCode == 0, await output + await errors);
        return await output;
    }
}
