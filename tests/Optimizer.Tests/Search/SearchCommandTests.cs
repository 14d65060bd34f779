using Dunlin.Bundles.Layouts;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.TestKit.Machine;
using Onnx;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class SearchCommandTests(SearchLab lab) : IClassFixture<SearchLab>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ASearchThatWasKilledAgainAndAgainComesToTheSameModels()
    {
        Torch.Require();
        using (var whole = OptimizerProcess.Start(lab.Arguments("search", "whole"))) Assert.True(await whole.Ended() == 0, await whole.StandardError.ReadToEndAsync(Stop));
        foreach (var records in (int[])[1, 7])
        {
            using var killed = OptimizerProcess.Start(lab.Arguments("search", "killed"));
            await killed.Until(() => lab.RecordCount("killed") >= records);
            killed.Kill();
            Assert.Equal(137, await killed.Ended());
        }

        using var last = OptimizerProcess.Start(lab.Arguments("search", "killed"));
        Assert.Equal(0, await last.Ended());
        Assert.Equal(lab.Outcome("whole"), lab.Outcome("killed"));
        Assert.Contains("-50.1.onnx", lab.Outcome("whole"));
    }

    [Fact]
    public async Task CtrlCEndsItWithAWordAboutHowToGoOn()
    {
        Torch.Require();
        using var process = OptimizerProcess.Start(lab.Arguments("search", "stopped"));
        await process.Until(() => lab.RecordCount("stopped") >= 4);
        ProcessTable.Signal(process.Id, "INT");
        Assert.Equal(130, await process.Ended());
        Assert.Contains("the same command goes on from there", await process.StandardError.ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task AtATerminalBarsShowTheBudgetAndWhatIsGoingOnAndTheTableFits()
    {
        Torch.Require();
        using var process = OptimizerProcess.StartAtTerminal(lab.Arguments("search", "terminal", "--budget", "60steps"));
        var output = await process.StandardOutput.ReadToEndAsync(Stop);
        Assert.True(await process.Ended() == 0, output);
        Assert.Contains("━", output);
        Assert.Contains("training ", output);
        Assert.Contains(output.Split('\n'), line => line.StartsWith("│ reference ", StringComparison.Ordinal) && line.Contains("holds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AtATerminalTheWordAfterCtrlCStaysAboveTheBars()
    {
        Torch.Require();
        using var process = OptimizerProcess.StartAtTerminal(lab.Arguments("search", "stopped-there"));
        await process.Until(() => lab.RecordCount("stopped-there") >= 2);
        await process.PressCtrlC();
        var output = await process.StandardOutput.ReadToEndAsync(Stop);
        Assert.Equal(130, await process.Ended());
        Assert.InRange(output.IndexOf("interrupted; what is done is kept", StringComparison.Ordinal), 1, output.LastIndexOf('━'));
    }

    [Fact]
    public async Task AFullDiskIsSaidAndLosesNothing()
    {
        Torch.Require();
        using var disk = TinyDisk.Mount(megabytes: 96);
        var arguments = lab.Arguments("search", "full", "--work", $"{disk.Path}/study");
        using (var process = OptimizerProcess.Start(arguments))
        {
            await process.Until(() => File.Exists($"{disk.Path}/study/records/answers-reference.json"));
            disk.Fill();
            Assert.Equal(1, await process.Ended());
            Assert.Contains("the same command goes on from there", await process.StandardError.ReadToEndAsync(Stop));
        }

        disk.Free();
        using var again = OptimizerProcess.Start(arguments);
        Assert.True(await again.Ended() == 0, await again.StandardError.ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task WhereTheModelsDoNotFitItIsSaidAndTheSameCommandGoesOn()
    {
        using var disk = TinyDisk.Mount();
        string[] arguments = ["search", Untrainable(), "--data", lab.Data, "--out", $"{disk.Path}/models", "--work", lab.Study("elsewhere"), "--budget", "1s"];
        disk.Fill();
        var full = await CommandRun.Of(arguments);
        Assert.Equal(1, full.Code);
        Assert.Contains("the same command goes on from there", full.Error);
        disk.Free();
        var again = await CommandRun.Of(arguments);
        Assert.True(again.Code == 0, again.Error);
        Assert.Equal(["reference-int8.onnx", "reference.onnx", "split.json"], Directory.EnumerateFiles($"{disk.Path}/models").Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task OptimizePacksTheReferenceItsInt8FormAndWhatIsSmallerWithinTheLimit()
    {
        Torch.Require();
        var run = await CommandRun.Of(lab.Arguments("optimize", "bundle", "--limit", "-20pt", "--golden", "200"));
        Assert.True(run.Code == 0, run.Error + run.Output);
        Assert.Contains("dunlin-fleet sign", run.Output);
        var bundle = Bundle.Open(lab.Out("bundle"));
        Assert.Equal("stripes", bundle.Manifest.Name);
        var variants = bundle.Manifest.Variants;
        Assert.Equal(["reference", "reference-int8"], variants.Take(2).Select(v => v.Id));
        Assert.Contains(variants, v => v.Techniques.Select(t => t.Kind).SequenceEqual(["pruned", "distilled", "quantized"]) && v.Macs < variants[0].Macs);
        Assert.InRange(Math.Max(0, variants[0].Accuracy.Top1 - 0.2) - bundle.Manifest.AccuracyFloor, -1e-9, 0.001);
        var report = await File.ReadAllTextAsync(lab.Out("bundle.report/report.md"), Stop);
        Assert.All(variants, v => Assert.Contains(v.Id, report));
        Assert.Contains("dunlin-optimizer optimize", report);
        var named = Path.Combine(lab.Study("bundle"), "variants");
        Assert.Contains($"the models are in {named}", run.Output);
        var packed = await CommandRun.Of(["pack", .. Directory.EnumerateFiles(named, "*.onnx").Order(), "--data", lab.Data, "--name", "stripes", "--golden", "200", "--out", lab.Out("repacked")]);
        Assert.True(packed.Code == 0, packed.Error + packed.Output);

        var again = await CommandRun.Of(lab.Arguments("optimize", "bundle", "--limit", "-20pt", "--golden", "200"));
        Assert.Equal(1, again.Code);
        Assert.Contains("is not empty", again.Error);

        var fewer = await CommandRun.Of(lab.Arguments("optimize", "fewer", "--work", lab.Study("bundle"), "--limit", "-20pt", "--golden", "200", "--variants", "3", "--security-epoch", "2"));
        Assert.True(fewer.Code == 0, fewer.Error + fewer.Output);
        var files = Directory.EnumerateFiles(Path.Combine(lab.Study("bundle"), "variants"), "*.onnx").Select(Path.GetFileNameWithoutExtension).Order();
        Assert.Equal(Bundle.Open(lab.Out("fewer")).Manifest.Variants.Select(v => v.Id).Order(), files);
        Assert.Equal(3, files.Count());
        Assert.Equal((1, 2), (bundle.Manifest.SecurityEpoch, Bundle.Open(lab.Out("fewer")).Manifest.SecurityEpoch));
    }

    [Fact]
    public async Task WhatLosesTooMuchOnBytesIsTrainedForThem()
    {
        Torch.Require();
        var uneven = Path.Combine(lab.Folder, "uneven.onnx");
        ModelFile.Save(Uneven(lab.Model), uneven);
        Task<CommandRun> Within(string budget) => CommandRun.Of([.. lab.Arguments("search", $"tuned-{budget}", "--work", lab.Study("tuned"), "--budget", budget, "--limit", "agreement>=100").Select(a => a == lab.Model ? uneven : a)]);
        // What there are no steps for is asked again.
        Assert.DoesNotContain("reference-tuned", (await Within("60steps")).Output);
        var run = await Within("160steps");
        Assert.True(run.Code == 0, run.Error + run.Output);
        Assert.True(run.Output.Contains("reference-tuned: top-1", StringComparison.Ordinal), run.Output);
        var techniques = Provenance.Of(ModelFile.Load(Path.Combine(lab.Study("tuned"), "models", "reference-tuned.onnx")));
        Assert.Equal("8", techniques.Single().Parameters["trainedSteps"]);
    }

    [Fact]
    public async Task ABudgetOfTimeIsKept()
    {
        Torch.Require();
        var arguments = lab.Arguments("search", "quick", "--budget", "20s", "--limit", "-20pt");
        var run = await CommandRun.Of(arguments);
        Assert.True(run.Code == 0, run.Error + run.Output);
        // A step that was begun is ended; how long a busy machine takes to begin is not the budget's.
        Assert.True(lab.RecordedSeconds("quick") is >= 1 and <= 40, $"{lab.RecordedSeconds("quick")} s were used: {run.Output}");
        Assert.True(File.Exists(lab.Out("quick/reference-int8.onnx")));
    }

    [Fact]
    public async Task WhatCannotBeTrainedIsQuantizedAllTheSame()
    {
        var run = await CommandRun.Of("search", Untrainable(), "--data", lab.Data, "--out", lab.Out("norm"), "--budget", "60steps");
        Assert.True(run.Code == 0, run.Error + run.Output);
        Assert.Contains("nothing is pruned or trained", run.Output);
        Assert.Equal(["reference-int8.onnx", "reference.onnx", "split.json"], Directory.EnumerateFiles(lab.Out("norm")).Select(Path.GetFileName).Order());
        Assert.All(["reference", "reference-int8"], name => Assert.Equal([0], InputMark.Of(ModelFile.Load(lab.Out($"norm/{name}.onnx")))!.Mean));
    }

    [Theory]
    [InlineData("named")]
    [InlineData("beside")]
    public async Task TheSplitThatWasUsedLiesBesideTheModelsWhereverItCameFrom(string source)
    {
        Torch.Require();
        var folder = Directory.CreateDirectory(Path.Combine(lab.Folder, $"split-{source}")).FullName;
        var split = Path.Combine(folder, source == "named" ? "mine.json" : "split.json");
        Assert.Equal(0, (await CommandRun.Of("split", "--data", lab.Data, "--out", split, "--seed", "7")).Code);
        var (model, name) = (MadeWith(split, folder), $"{source}-split");
        string[] options = ["--budget", "16steps", .. source == "named" ? (string[])["--split", split] : []];
        var run = await CommandRun.Of([.. lab.Arguments("search", name, options).Select(a => a == lab.Model ? model : a)]);
        Assert.True(run.Code == 0, run.Error + run.Output);
        Assert.Equal(await File.ReadAllTextAsync(split, Stop), await File.ReadAllTextAsync(lab.Out($"{name}/split.json"), Stop));

        // As the last line says.
        var pack = await CommandRun.Of(["pack", .. Directory.EnumerateFiles(lab.Out(name), "*.onnx").Order(), "--data", lab.Data, "--name", "stripes", "--golden", "200", "--out", lab.Out($"{name}-bundle")]);
        Assert.True(pack.Code == 0, pack.Error + pack.Output);
    }

    [Fact]
    public async Task AStudyGoesOnOnlyAsItWasBegun()
    {
        Torch.Require();
        Assert.Equal(0, (await CommandRun.Of(lab.Arguments("search", "begun", "--budget", "16steps"))).Code);
        Directory.Delete(lab.Out("begun"), recursive: true);
        var run = await CommandRun.Of(lab.Arguments("search", "begun", "--limit", "-3pt"));
        Assert.Equal(1, run.Code);
        Assert.Contains("--limit was top1>=-1.0pt, now top1>=-3.0pt", run.Error);
    }

    [Theory]
    [InlineData("--budget soon", "--budget is 'soon'")]
    [InlineData("--limit fast", "--limit is 'fast'")]
    [InlineData("--step 0", "--step is 0")]
    [InlineData("--variants 2", "--variants is 2")]
    [InlineData("--watts 0", "--watts is 0")]
    [InlineData("--verdicts /dev/null", "not a verdict")]
    [InlineData("--verdicts none.json", "dunlin-agent race --json")]
    [InlineData("--work /proc", "holds no study")]
    [InlineData("--data /proc/none", "There is no '/proc/none'")]
    [InlineData("--golden 3", "at least 200")]
    [InlineData("--name Garments!", "--name is 'Garments!': it must match [a-z0-9]")]
    [InlineData("--version-number 0", "--version-number is 0: it must lie in 1…")]
    [InlineData("--label 1.0.0-0123456789012345678901234567890123456789012345678901234567890123456789", "it must be 1 to 64 characters")]
    [InlineData("--golden 300", "golden set needs 300")]
    [InlineData("--input-shape 1x3x28x28", "does not fit")]
    [InlineData("--out /tmp/dunlin-wrong --report /tmp/dunlin-wrong/report", "lies in --out")]
    [InlineData("--out /tmp/dunlin-wrong --work /tmp/dunlin-wrong", "lies in --out")]
    public async Task WhatIsWrongIsSaidBeforeAnythingIsBegun(string options, string expected)
    {
        Torch.Require();
        var run = await CommandRun.Of(lab.Arguments("optimize", "wrong", options.Split(' ')));
        Assert.Equal(1, run.Code);
        Assert.Contains(expected, run.Error);
        Assert.Equal(0, lab.RecordCount("wrong"));
    }

    // With the split's mark, as what `train` writes.
    private string MadeWith(string split, string folder)
    {
        var model = ModelFile.Load(lab.Model);
        SplitFile.Load(split).Apply(DataListing.Open(lab.Data)).Mark(model);
        var path = Path.Combine(folder, "marked.onnx");
        ModelFile.Save(model, path);
        return path;
    }

    private string Untrainable()
    {
        var net = new NetBuilder(seed: 3, channels: 1, side: 28);
        var x = net.Unary("LpNormalization", net.Conv(NetBuilder.Image, 8, stride: 2), Nodes.Int("axis", 1), Nodes.Int("p", 2));
        var path = Path.Combine(lab.Folder, "norm.onnx");
        ModelFile.Save(net.Build(net.Linear(net.Flatten(net.GlobalPool(x)), 3)), path);
        return path;
    }

    // The same scores, but within each block some channels are a thousand times larger than the others, which then share a few of 256 levels.
    private static ModelProto Uneven(string path)
    {
        var graph = ModelGraph.Load(path);
        foreach (var relu in graph.Nodes.Where(n => n.OpType == "Relu").ToList())
        {
            if (graph.Producer(relu.Input[0]) is not { OpType: "BatchNormalization" } norm || graph.OnlyConsumer(relu.Output[0]) is not { OpType: "Conv" } conv) continue;
            var weights = graph.Constant(conv.Input[1])!;
            var (inputs, window) = (weights.Dims[1], weights.Dims[2] * weights.Dims[3]);
            Scale(weights, i => i / window % inputs % 2 == 0 ? 1e-3f : 1);
            foreach (var input in (int[])[1, 2]) Scale(graph.Constant(norm.Input[input])!, i => i % 2 == 0 ? 1e3f : 1);
        }

        return graph.Model;

        void Scale(TensorProto tensor, Func<long, float> factor) =>
            graph.SetConstant(Tensors.Of(tensor.Name, [.. Tensors.Floats(tensor).Select((v, i) => v * factor(i))], [.. tensor.Dims]));
    }
}
