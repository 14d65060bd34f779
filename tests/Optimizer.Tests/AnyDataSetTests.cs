using System.Text.Json;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Optimizer.Tests;

/// <summary>All verbs, one after the other, on folders of pictures in colour.</summary>
public sealed class AnyDataSetTests(ColourPhotographs photographs) : IClassFixture<ColourPhotographs>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ANetworkInColourIsTrainedToBetterThanChance()
    {
        Torch.Require();
        Assert.Equal((0, ""), (photographs.Training.Code, photographs.Training.Error));
        Assert.Contains("search loss", photographs.Training.Output);
        var accuracy = await TopOne("net.onnx");
        // Of 227 held-out images a third would be right by chance.
        Assert.True(accuracy > 0.8, $"{accuracy:p1}\n{photographs.Training.Output}");
    }

    [Fact]
    public async Task WhatIsMadeOfItCarriesTheMarkOfItsSplit()
    {
        Torch.Require();
        await Made("quantize", "net.onnx", "--out", photographs.At("int8.onnx"));
        Assert.True(await TopOne("int8.onnx") > 0.7);

        await Made("prune", "net.onnx", "--out", photographs.At("pruned.onnx"), "--ratio", "0.3", "--importance", "taylor", "--step", "1");
        Assert.True(GraphFacts.Of(ModelFile.Load(photographs.At("pruned.onnx"))).ParameterCount < GraphFacts.Of(ModelFile.Load(photographs.At("net.onnx"))).ParameterCount);

        var distilled = await Made("distil", "pruned.onnx", "--teacher", photographs.At("net.onnx"), "--out", photographs.At("student.onnx"), "--epochs", "3", "--views", "2", "--batch-size", "16", "--threads", "2");
        Assert.Contains("126 images", distilled);
        Assert.True(await TopOne("student.onnx") > 0.7);
        Assert.Equal(["pruned", "distilled"], Provenance.Of(ModelFile.Load(photographs.At("student.onnx"))).Select(t => t.Kind));
        Assert.Single(Directory.GetFiles(photographs.At("."), "teacher-*.logits"));

        var split = SplitFile.Load(photographs.At("split.json")).Id.ToString();
        Assert.All(["net.onnx", "int8.onnx", "pruned.onnx", "student.onnx"], name => Assert.Equal(split, HeldOutImages.MarkOf(ModelFile.Load(photographs.At(name)))));
    }

    [Fact]
    public async Task TrainingGoesOnFromAModelOrBeginsAnewWithItsLayers()
    {
        Torch.Require();
        string[] rest = ["--data", photographs.Images, "--epochs", "1", "--learning-rate", "1e-7", "--batch-size", "16", "--threads", "1"];
        foreach (var how in (string[])["from", "like"])
            Assert.Equal(0, (await CommandRun.Of(["train", $"--{how}", photographs.At("net.onnx"), "--out", photographs.At($"{how}.onnx"), .. rest])).Code);
        Assert.True(await TopOne("from.onnx") > 0.8);
        Assert.True(await TopOne("like.onnx") < 0.7);

        var (code, _, error) = await CommandRun.Of(["train", "--like", photographs.At("net.onnx"), "--widths", "8", "--out", photographs.At("both.onnx"), .. rest]);
        Assert.Equal(1, code);
        Assert.Contains("--like says which layers are trained, and so does --widths", error);
    }

    [Fact]
    public async Task TrainingInAnotherWaySaysThatItBeginsAnewAndKeepsWhatWasThere()
    {
        Torch.Require();
        string[] line = ["train", "--data", photographs.Images, "--out", photographs.At("often.onnx"), "--input-shape", "1x3x16x16", "--widths", "4", "--batch-size", "16", "--threads", "1"];
        Assert.DoesNotContain("another run", (await CommandRun.Of([.. line, "--epochs", "1"])).Output);
        var (code, output, error) = await CommandRun.Of([.. line, "--epochs", "2", "--limit", "100"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("is the progress of another run (EpochCount = 1, images sha256:", output);
        Assert.Single(Directory.GetFiles(photographs.At("."), "often.*.checkpoint"));
    }

    [Fact]
    public async Task ABundleInColourOpensAndItsGoldenSetAgrees()
    {
        Torch.Require();
        await Made("quantize", "net.onnx", "--out", photographs.At("net_int8.onnx"), "--seed", "2");
        var (code, _, error) = await CommandRun.Of(
            "pack", photographs.At("net.onnx"), photographs.At("net_int8.onnx"), "--data", photographs.Images, "--out", photographs.At("bundle"), "--name", "light", "--golden", "200", "--region", "0.25,0,0.5,1", "--threads", "2");
        Assert.Equal((0, ""), (code, error));

        var bundle = Bundle.Open(photographs.At("bundle"));
        var golden = bundle.OpenGolden();
        Assert.Equal(["net", "net-int8"], bundle.Manifest.Variants.Select(v => v.Id));
        Assert.Equal(new RegionOfInterest { X = 0.25, Y = 0, Width = 0.5, Height = 1 }, bundle.Manifest.Input.RegionOfInterest);
        Assert.Equal((200, 3, ChannelOrder.Rgb), (golden.Count, golden.Shape.Channels, bundle.Manifest.Input.Channels));
        Assert.Equal(["cold", "green", "warm"], bundle.Labels);
        using var preprocessor = new Preprocessor(bundle.Manifest.Input);
        foreach (var variant in bundle.Manifest.Variants)
        {
            Assert.Equal(227, variant.Accuracy.SampleCount);
            using var session = Runtime.Sessions.ModelSession.Create(Evaluator.Session(bundle.PathOf(variant), bundle.Manifest.Input, bundle.Manifest.Output, bundle.Labels, threads: 1));
            using var input = session.CreateInput();
            for (var i = 0; i < golden.Count; i++)
            {
                preprocessor.ProcessModelSized(golden.Image(i), input.Floats);
                Assert.Equal(golden.Prediction(variant.Id, i), ImageAnswer.Of(session.Run(input), golden.Label(i)).Prediction);
            }
        }
    }

    [Fact]
    public async Task AnotherSplitIsRefusedByWhatLearnsFurtherAndByWhatTeaches()
    {
        Torch.Require();
        await CommandRun.Of("split", "--data", photographs.Images, "--out", photographs.At("other/split.json"), "--seed", "2");
        foreach (var line in new string[][]
        {
            ["quantize", photographs.At("net.onnx"), "--out", photographs.At("other/q.onnx")],
            ["train", "--out", photographs.At("other/net.onnx"), "--input-shape", "1x3x16x16", "--widths", "4", "--teacher", photographs.At("net.onnx")],
        })
        {
            var (code, _, error) = await CommandRun.Of([.. line, "--data", photographs.Images]);
            Assert.Equal(1, code);
            Assert.Contains("was made with the split", error);
        }

        Assert.Equal(["split.json"], Directory.EnumerateFileSystemEntries(photographs.At("other")).Select(Path.GetFileName));
    }

    [Fact]
    public void WhatIsLearntFromIsNeverHeldOutAndPartsHaveNoImageInCommon()
    {
        Torch.Require();
        var data = DataListing.Open(photographs.Images);
        var arguments = OptimizerCommand.Create().Parse(["quantize", "net.onnx", "--out", photographs.At("x.onnx"), "--data", photographs.Images]);
        var learning = LearningData.Of(arguments, data, ModelGraph.Load(photographs.At("net.onnx")), photographs.At("net.onnx"), photographs.At("x.onnx"), TextWriter.Null);
        var names = new[] { SplitPart.Train, SplitPart.Calibration, SplitPart.Search }.SelectMany(part =>
        {
            using var images = learning.Read(part, int.MaxValue, 1, Stop);
            return Enumerable.Range(0, images.Count).Select(images.Name).ToList();
        }).ToList();
        var heldOut = SplitFile.Load(photographs.At("split.json")).Apply(data).HeldOut.Samples.Select(s => s.Name);
        Assert.Equal(data.Samples.Select(s => s.Name).Order(), names.Concat(heldOut).Order());
        Assert.Throws<ArgumentOutOfRangeException>(() => learning.Read(SplitPart.HeldOut, 1, 1, Stop));
    }

    private async Task<string> Made(string verb, string model, params string[] more)
    {
        var (code, output, error) = await CommandRun.Of([verb, photographs.At(model), "--data", photographs.Images, .. more]);
        Assert.Equal((0, ""), (code, error));
        return output;
    }

    private async Task<double> TopOne(string model)
    {
        var json = photographs.At(model + ".json");
        var (code, _, error) = await CommandRun.Of("evaluate", photographs.At(model), "--data", photographs.Images, "--json", json, "--rounds", "3", "--threads", "2");
        Assert.Equal((0, ""), (code, error));
        var report = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(json, Stop), EvaluationJson.Default.EvaluationReport)!;
        Assert.Equal(227, report.ImageCount);
        return report.Models[0].Top1.Value;
    }
}
