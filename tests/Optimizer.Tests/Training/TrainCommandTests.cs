using Dunlin.Optimizer.Tests.Search;
using Dunlin.TestKit.Machine;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class TrainCommandTests(SearchLab lab) : IClassFixture<SearchLab>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AtATerminalEpochsAndTheWordAfterCtrlCStayAboveTheBarAndTheSameCommandGoesOn()
    {
        Torch.Require();
        var (model, checkpoint) = (lab.Out("there.onnx"), lab.Out("there.checkpoint"));
        string[] arguments = ["train", "--data", lab.Data, "--input-shape", "1x1x28x28", "--widths", "8,16", "--epochs", "400", "--out", model];
        using (var stopped = OptimizerProcess.StartAtTerminal(arguments))
        {
            await stopped.Until(() => File.Exists(checkpoint));
            await stopped.PressCtrlC();
            var output = await stopped.StandardOutput.ReadToEndAsync(Stop);
            Assert.Equal(130, await stopped.Ended());
            Assert.InRange(output.IndexOf("epoch   1 ", StringComparison.Ordinal), 1, output.LastIndexOf('━'));
            Assert.InRange(output.IndexOf("interrupted; what is done is kept", StringComparison.Ordinal), 1, output.LastIndexOf('━'));
            Assert.False(File.Exists(model));
        }

        using var again = OptimizerProcess.Start([.. arguments]);
        var line = "";
        while (!line.StartsWith("epoch", StringComparison.Ordinal)) line = await again.StandardOutput.ReadLineAsync(Stop) ?? throw new IOException(await again.StandardError.ReadToEndAsync(Stop));
        Assert.DoesNotContain("epoch   1 ", line);
        again.Kill();
        await again.Ended();
    }

    [Fact]
    public async Task WhatTrainingLeavesIsOnTheDisk()
    {
        Torch.Require();
        Tool.SkipUnlessInstalled("strace");
        var log = lab.Out("synced.log");
        var (code, output) = await Tool.RunAsync(
            "strace", "-f", "--seccomp-bpf", "-qq", "-y", "-e", "trace=fsync", "-o", log, OptimizerProcess.Program,
            "train", "--data", lab.Data, "--input-shape", "1x1x28x28", "--widths", "8", "--epochs", "1", "--limit", "64", "--batch-size", "32", "--out", lab.Out("synced/net.onnx"));
        if (output.Contains("ptrace", StringComparison.Ordinal)) Assert.Skip($"strace may not trace here: {output}");
        Assert.True(code == 0, output);
        var synced = await File.ReadAllTextAsync(log, Stop);
        Assert.Matches(@"/\.split\.json\.[0-9a-f]{32}\.tmp>\)", synced);
        foreach (var file in (string[])["net.checkpoint.tmp", "net.onnx.tmp", "synced"]) Assert.Contains($"/{file}>)", synced);
    }
}
