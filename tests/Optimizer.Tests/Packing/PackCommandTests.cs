using System.Text.Json;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Evaluation;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;
using Onnx;

namespace Dunlin.Optimizer.Tests.Packing;

/// <summary>Models of many forms become bundles that a device runs.</summary>
public sealed class PackCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-pack").FullName;

    public PackCommandTests() => Pictures.WriteFolders(At("images"), perClass: 67);

    [Fact]
    public async Task AModelThatLeavesItsSizeOpenIsMeasuredAtTheShapeThatIsGiven()
    {
        var model = ColourNet.Make(ColourNet.Right, open: true);
        // Simplifying takes it away, but it is in the file, and a device wants to find it in the manifest.
        model.Graph.Node.Insert(0, Nodes.Make("Identity", ["image"], "same"));
        // At a size of one pixel it would not run.
        model.Graph.Node[1] = Nodes.Make("AveragePool", ["same"], "pooled", Nodes.Ints("kernel_shape", 8, 8));

        var variant = await Packed(model, "--input-shape", "1x3x8x8");

        Assert.Equal(["AveragePool", "Flatten", "Gemm", "Identity"], variant.Operators);
        Assert.Equal((12L, 9L), (variant.ParameterCount, variant.Macs));
    }

    [Fact]
    public async Task AClassifierThatEndsInPoolingIsPackedWithScoresThatADeviceTakes()
    {
        var model = ColourNet.Make(ColourNet.Right);
        model.Graph.Node.Clear();
        model.Graph.Node.Add(Nodes.Make("Conv", ["image", "w", "b"], "filtered"));
        model.Graph.Node.Add(Nodes.Make("GlobalAveragePool", ["filtered"], "scores"));
        model.Graph.Initializer[0] = Tensors.Of("w", ColourNet.Right, 3, 3, 1, 1);
        model.Graph.Output[0] = Nodes.FloatValue("scores", 1, 3, 1, 1);

        var variant = await Packed(model);

        Assert.Equal(["Conv", "Flatten", "GlobalAveragePool"], variant.Operators);
        var (code, _, error) = await CommandRun.Of("quantize", At("net.onnx"), "--data", At("images"), "--out", At("bytes.onnx"), "--images", "16");
        Assert.Equal((0, ""), (code, error));
    }

    [Fact]
    public async Task AModelThatTakesBytesIsMeasuredWithBytes()
    {
        var model = ColourNet.Make(ColourNet.Right);
        model.Graph.Input[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Uint8;
        model.Graph.Node.Insert(0, Nodes.Make("Cast", ["image"], "pixels", Nodes.Int("to", (long)TensorProto.Types.DataType.Float)));
        model.Graph.Node[1].Input[0] = "pixels";

        var variant = await Packed(model);

        Assert.InRange(variant.PeakMemoryByteCount, 1_000_000, 200_000_000);
    }

    [Fact]
    public async Task VariantsArePackedAsTheyWereMadeAlsoBehindOneThatDoesNotSayHow()
    {
        ModelFile.Save(ColourNet.Shifted(), At("net.onnx"));
        ModelFile.Save(ColourNet.Shifted(isMarked: true), At("small.onnx"));

        var (code, _, error) = await CommandRun.Of("pack", At("net.onnx"), At("small.onnx"), "--data", At("images"), "--out", At("bundle"), "--name", "colours", "--golden", "200", "--threads", "2", "--security-epoch", "3");

        Assert.Equal(0, code);
        Assert.Contains("net.onnx' does not say how it takes images", error);
        var manifest = Bundle.Open(At("bundle")).Manifest;
        Assert.Equal([1, 1], manifest.Variants.Select(v => v.Accuracy.Top1));
        Assert.Equal(1000, manifest.Input.Mean[0]);
        Assert.Equal(3, manifest.SecurityEpoch);
    }

    [Fact]
    public async Task VariantsThatTakeImagesOtherwiseAreRefused()
    {
        var other = ColourNet.Make(ColourNet.Right);
        InputMark.Write(other, new InputOptions(null, [0], [255], null, null).For(ModelGraph.Of(other.Clone())));
        ModelFile.Save(ColourNet.Shifted(isMarked: true), At("net.onnx"));
        ModelFile.Save(other, At("other.onnx"));
        foreach (var line in (string[][])[["pack", At("net.onnx"), At("other.onnx"), "--name", "colours"], ["report", At("other.onnx"), "--reference", At("net.onnx")]])
        {
            var (code, _, error) = await CommandRun.Of([.. line, "--data", At("images"), "--out", At("result")]);
            Assert.Equal(1, code);
            Assert.Contains("other.onnx' takes images otherwise (Rgb, mean 0 0 0, std 255 255 255, CenterCrop) than", error);
        }
    }

    [Fact]
    public async Task WhatIsMadeOfAModelWithLabelsKnowsThem()
    {
        ModelFile.Save(ColourNet.Make([1, 0, 0, 0, 1, 0, 0, 0, 1]), At("net.onnx"));
        await File.WriteAllTextAsync(At("net.labels.txt"), "red\ngreen\nblue\n", TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandRun.Of("quantize", At("net.onnx"), "--data", At("images"), "--out", At("made/bytes.onnx"), "--images", "16");
        Assert.Equal((0, ""), (code, error));
        (code, _, error) = await CommandRun.Of("evaluate", At("made/bytes.onnx"), "--data", At("images"), "--json", At("r.json"), "--rounds", "3");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(1, JsonSerializer.Deserialize(await File.ReadAllBytesAsync(At("r.json"), TestContext.Current.CancellationToken), EvaluationJson.Default.EvaluationReport)!.Models[0].Top1.Value);
    }

    [Theory]
    [InlineData("1.5", "--accuracy-floor is 1.5; it must be from 0 to 1")]
    [InlineData("0.7", "--accuracy-floor is 0.7, and the best variant has a top-1 of 0.6667")]
    public async Task AFloorThatNoVariantReachesIsRefusedBeforeAnythingIsTimed(string floor, string expected)
    {
        ModelFile.Save(ColourNet.Make(ColourNet.GreenIsBlue), At("net.onnx"));
        var (code, output, error) = await CommandRun.Of("pack", At("net.onnx"), "--data", At("images"), "--out", At("bundle"), "--name", "colours", "--golden", "200", "--accuracy-floor", floor);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(expected, error);
    }

    [Theory]
    [InlineData("pack")]
    [InlineData("optimize", "--budget", "1steps")]
    public async Task AnEpochThatLetsNobodyOutIsRefusedBeforeAnythingIsMeasured(string command, params string[] more)
    {
        ModelFile.Save(ColourNet.Make(ColourNet.Right), At("net.onnx"));
        var (code, output, error) = await CommandRun.Of([command, At("net.onnx"), "--data", At("images"), "--out", At("bundle"), "--name", "colours", "--security-epoch", "0", .. more]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("--security-epoch is 0; it must be 1 or more", error);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    // Fails unless a device's session answers all of the golden set as it says, and right.
    private async Task<Variant> Packed(ModelProto model, params string[] more)
    {
        ModelFile.Save(model, At("net.onnx"));
        var (code, _, error) = await CommandRun.Of(["pack", At("net.onnx"), "--data", At("images"), "--out", At("bundle"), "--name", "colours", "--golden", "200", "--threads", "2", .. more]);
        Assert.Equal((0, ""), (code, error));
        var bundle = Bundle.Open(At("bundle"));
        var (manifest, golden, variant) = (bundle.Manifest, bundle.OpenGolden(), bundle.Manifest.Variants.Single());
        using var session = ModelSession.Create(Evaluator.Session(bundle.PathOf(variant), manifest.Input, manifest.Output, bundle.Labels, threads: 1));
        using var input = session.CreateInput();
        using var preprocessor = new Preprocessor(manifest.Input);
        for (var i = 0; i < golden.Count; i++)
        {
            if (manifest.Input.ElementType == ElementType.Float32) preprocessor.ProcessModelSized(golden.Image(i), input.Floats);
            else preprocessor.ProcessModelSized(golden.Image(i), input.Bytes);
            Assert.Equal(golden.Prediction(variant.Id, i), ImageAnswer.Of(session.Run(input), golden.Label(i)).Prediction);
        }

        Assert.Equal(1, manifest.SecurityEpoch);
        Assert.Equal(1, variant.Accuracy.Top1);
        return variant;
    }
}
