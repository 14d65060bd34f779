using System.CommandLine;
using System.Text.Json;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using Onnx;

namespace Dunlin.Optimizer.Tests.Evaluation;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-evaluate").FullName;
    private string Images => At("images");

    public EvaluateCommandTests() => Pictures.WriteFolders(Images);

    [Fact]
    public async Task AModelThatTakesGreenForBlueIsFoundOutAgainstTheReference()
    {
        var (right, wrong) = (Model("right.onnx", ColourNet.Right), Model("wrong.onnx", ColourNet.GreenIsBlue));
        var (code, output, error) = await CommandRun.Of("evaluate", wrong, "--reference", right, "--data", Images, "--json", At("r.json"), "--rounds", "5", "--threads", "2");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Contains("green taken for blue: 10, 100.00 %", output);

        var report = Report();
        Assert.Equal(30, report.ImageCount);
        Assert.Equal([1, 20 / 30.0], report.Models.Select(m => m.Top1.Value));
        Assert.Null(report.Models[0].AgainstReference);
        var against = report.Models[1].AgainstReference!;
        Assert.Equal((right, -1 / 3.0, 2 / 3.0), (against.Reference, against.Top1Change.Value, against.Agreement.Value));
        Assert.InRange(against.Top1Change.High, -0.3, -0.1);
        Assert.Equal([0, -1, 0], report.Models[1].Classes.Select(c => c.Change!.Value.Value));
        Assert.Equal([new Confusion("green", "blue", 10, 1)], report.Models[1].Confusions);
        Assert.InRange(report.Models[0].CalibrationError, 0.0001, 0.2);
    }

    [Fact]
    public async Task TheReferenceAmongTheModelsIsNotHeldAgainstItself()
    {
        var (right, wrong) = (Model("right.onnx", ColourNet.Right), Model("wrong.onnx", ColourNet.GreenIsBlue));
        Assert.Equal(0, (await CommandRun.Of("evaluate", right, wrong, "--reference", right, "--data", Images, "--json", At("r.json"), "--rounds", "3")).Code);
        Assert.Equal([right, wrong], Report().Models.Select(m => m.Model));
    }

    [Fact]
    public async Task AnOpenInputTakesTheShapeThatIsGivenAndLabelsSayWhatOutputsAre()
    {
        var model = Model("open.onnx", [1, 0, 0, 0, 1, 0, 0, 0, 1], open: true);
        await File.WriteAllTextAsync(At("open.labels.txt"), "red\ngreen\nblue\n", TestContext.Current.CancellationToken);
        Assert.Contains("--input-shape", (await CommandRun.Of("evaluate", model, "--data", Images)).Error);
        var (code, _, error) = await CommandRun.Of("evaluate", model, "--data", Images, "--input-shape", "1x3x10x14", "--mean", "127.5", "--std", "127.5", "--fit", "letterbox", "--json", At("r.json"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(1, Report().Models[0].Top1.Value);
    }

    [Fact]
    public async Task DamagedImagesAreNamedAndTooManyOfThemAreAnError()
    {
        var jpeg = await File.ReadAllBytesAsync(Path.Combine(Images, "red/0.jpg"), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(Images, "red/cut.jpg"), jpeg[..(jpeg.Length * 3 / 4)], TestContext.Current.CancellationToken);
        var model = Model("net.onnx", ColourNet.Right);
        var (code, _, error) = await CommandRun.Of("evaluate", model, "--data", Images);
        Assert.Equal(1, code);
        Assert.Contains("1 of 31 images cannot be read.", error);
        Assert.Contains("\n  'red/cut.jpg' (damaged JPEG", error);

        (code, _, error) = await CommandRun.Of("evaluate", model, "--data", Images, "--max-unreadable", "0.1", "--json", At("r.json"));
        Assert.Equal(0, code);
        Assert.Contains("'red/cut.jpg'", error);
        Assert.Equal((30, "red/cut.jpg"), (Report().ImageCount, Report().Unreadable.Single().Name));
    }

    [Fact]
    public async Task LabelsThatDoNotMatchAreAnError()
    {
        var model = Model("net.onnx", ColourNet.Right);
        await File.WriteAllTextAsync(At("l.txt"), "rot\ngreen\nblue\n", TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandRun.Of("evaluate", model, "--data", Images, "--labels", At("l.txt"));
        Assert.Equal(1, code);
        Assert.Contains("first 'red'", error);
        Directory.Delete(Path.Combine(Images, "red"), recursive: true);
        Assert.Contains("2 classes (blue, green…), but the model has 3 outputs", (await CommandRun.Of("evaluate", model, "--data", Images)).Error);
    }

    [Fact]
    public async Task OnlyHeldOutImagesOfASplitAreUsedAndAMarkedModelNeedsIt()
    {
        Assert.Equal(0, (await CommandRun.Of("split", "--data", Images, "--out", At("cut.json"))).Code);
        var path = Model("net.onnx", ColourNet.Right);
        var model = ModelFile.Load(path);
        SplitFile.Load(At("cut.json")).Apply(DataListing.Open(Images)).Mark(model);
        ModelFile.Save(model, path);

        Assert.Contains("--split", (await CommandRun.Of("evaluate", path, "--data", Images)).Error);
        var (code, _, error) = await CommandRun.Of("evaluate", path, "--data", Images, "--split", At("cut.json"), "--json", At("r.json"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(6, Report().ImageCount);
        Assert.Equal([2, 2, 2], Report().Models[0].Classes.Select(c => c.ImageCount));

        File.Move(At("cut.json"), At("split.json"));
        Assert.Equal(0, (await CommandRun.Of("evaluate", path, "--data", Images, "--json", At("r.json"))).Code);
        Assert.Equal(6, Report().ImageCount);
    }

    [Fact]
    public async Task AModelThatDoesNotSayHowItTakesImagesTakesThemAsTheOneThatWasMadeOfIt()
    {
        var (plain, marked) = (Model("plain.onnx", ColourNet.Shifted()), Model("marked.onnx", ColourNet.Shifted(isMarked: true)));
        var (code, _, error) = await CommandRun.Of("evaluate", marked, "--reference", plain, "--data", Images, "--json", At("r.json"), "--rounds", "3");
        Assert.Equal(0, code);
        Assert.Contains($"'{plain}' does not say how it takes images; it is given them as '{marked}' is: Rgb, mean 1000 0 0, std 1 1 1, CenterCrop", error);
        Assert.Equal([1, 1], Report().Models.Select(m => m.Top1.Value));

        var other = ColourNet.Make(ColourNet.Right);
        InputMark.Write(other, new InputOptions(null, [0], [255], FitMode.Stretch, null).For(ModelGraph.Of(other)));
        Assert.Contains("differ in it", (await CommandRun.Of("evaluate", marked, Model("other.onnx", other), "--reference", plain, "--data", Images)).Error);
        // Each as it was made.
        Assert.Equal(0, (await CommandRun.Of("evaluate", marked, At("other.onnx"), "--data", Images, "--json", At("r.json"), "--rounds", "3")).Code);
        Assert.Equal([1, 1], Report().Models.Select(m => m.Top1.Value));
    }

    [Fact]
    public async Task LabelsBesideAnyModelAreThoseOfAllAndTwoSortsOfThemAreRefused()
    {
        float[] redFirst = [1, 0, 0, 0, 1, 0, 0, 0, 1];
        var (first, second) = (Model("first.onnx", redFirst), Model("second.onnx", redFirst));
        await File.WriteAllTextAsync(At("second.labels.txt"), "red\ngreen\nblue\n", TestContext.Current.CancellationToken);
        string[] line = ["evaluate", first, "--reference", second, "--data", Images, "--json", At("r.json"), "--rounds", "3"];
        Assert.Equal(0, (await CommandRun.Of(line)).Code);
        Assert.Equal([1, 1], Report().Models.Select(m => m.Top1.Value));

        await File.WriteAllTextAsync(At("first.labels.txt"), "blue\ngreen\nred\n", TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandRun.Of(line);
        Assert.Equal(1, code);
        Assert.Contains($"The labels of '{second}' are not those of '{first}'", error);
        Assert.Equal(0, (await CommandRun.Of([.. line, "--labels", At("second.labels.txt")])).Code);
    }

    [Fact]
    public async Task APlaceForTheJsonIsMadeBeforeAnythingIsMeasured()
    {
        var model = Model("net.onnx", ColourNet.Right);
        Assert.Equal(0, (await CommandRun.Of("evaluate", model, "--data", Images, "--rounds", "3", "--json", At("new/folder/r.json"))).Code);
        Assert.True(File.Exists(At("new/folder/r.json")));
        var (code, output, _) = await CommandRun.Of("evaluate", model, "--data", Images, "--rounds", "3", "--json", Path.Combine(model, "r.json"));
        Assert.Equal((1, ""), (code, output));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CameraFramesAreTakenAsTheModelTakesImagesAndJudgedByItsLabels(bool takesBytes)
    {
        WriteGarments("t10k", [9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5, 7, 3, 4, 1, 0, 8]);
        var model = Model("net.onnx", BrightnessNet(takesBytes));
        await File.WriteAllLinesAsync(At("net.labels.txt"), FashionMnist.ClassNames.Reverse(), TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandRun.Of("evaluate", model, "--data", At("garments"), "--frames", "100", "--json", At("r.json"), "--rounds", "3");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal((1, 1), (Report().Models[0].Top1.Value, Report().Models[0].Top1OnFrames!.Value.Value));
    }

    [Fact]
    public async Task WhatHasNoFramesIsRefusedBeforeAnythingIsJudged()
    {
        WriteGarments("train", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9, 5, 5, 7, 9]);
        var broken = BrightnessNet(takesBytes: false);
        broken.Graph.Initializer[1] = Tensors.Of("b", [.. Enumerable.Repeat(float.NaN, 10)], 10);
        var model = Model("broken.onnx", broken);
        Assert.Contains("t10k-images-idx3-ubyte", (await CommandRun.Of("evaluate", model, "--data", At("garments"), "--frames", "5")).Error);
        Assert.Contains("--frames is -1", (await CommandRun.Of("evaluate", model, "--data", At("garments"), "--frames", "-1")).Error);
        Assert.Contains("Fashion-MNIST only", (await CommandRun.Of("evaluate", model, "--data", Images, "--frames", "5")).Error);
    }

    [Fact]
    public async Task ClassesThatDoNotMatchAreRefusedBeforeAnyModelIsJudged()
    {
        var broken = Model("broken.onnx", [float.NaN, 0, 0, 0, 0, 0, 0, 0, 0]);
        var four = Model("four.onnx", [.. ColourNet.Right, 0, 0, 0]);
        Assert.Contains("but the model has 4 outputs", (await CommandRun.Of("evaluate", broken, four, "--data", Images)).Error);
    }

    [Fact]
    public async Task IdxAnswersAreThoseOfThePixelsThemselves()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var bundle = Bundles.Layouts.Bundle.Open(TestKit.RepositoryFolder.DemoBundle);
        var variant = bundle.Manifest.Variants[0];
        var data = DataListing.Open(FashionMnist.DebianFolder);
        using var evaluator = new Evaluator(bundle.PathOf(variant), GarmentInput.Of(bundle.Manifest.Input.Tensor, null), bundle.Manifest.Output, bundle.Labels);
        var frame = new Runtime.Frames.FrameBuffer();
        var samples = HeldOutImages.Whole(data).Samples.Take(500).Select((sample, i) =>
        {
            Assert.Null(evaluator.Answer(sample, 0, frame, out var answer));
            return answer.Prediction;
        }).ToList();
        using var pixels = PixelSet.Read([.. HeldOutImages.Whole(data).Samples.Take(500)], ClassMap.Of(data, labels: null, 10), GarmentInput.Of("image", null), 0, TestContext.Current.CancellationToken);
        Assert.Equal(FashionMnist.ReadTest(FashionMnist.DebianFolder).Image(499), pixels.Pixels(499));
        // Resampling and luma may round a pixel's last bit.
        Assert.True(samples.Zip(evaluator.Answer(pixels, TestContext.Current.CancellationToken).Predictions).Count(p => p.First == p.Second) >= 499);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private EvaluationReport Report() => JsonSerializer.Deserialize(File.ReadAllBytes(At("r.json")), EvaluationJson.Default.EvaluationReport)!;

    // As bright as their label; the first labels are those of Fashion-MNIST, and it is known by them.
    private void WriteGarments(string part, byte[] labels)
    {
        Directory.CreateDirectory(At("garments"));
        File.WriteAllBytes(At($"garments/{part}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, (byte)labels.Length, 0, 0, 0, 28, 0, 0, 0, 28, .. labels.SelectMany(l => Enumerable.Repeat((byte)(25 * l), 28 * 28))]);
        File.WriteAllBytes(At($"garments/{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, (byte)labels.Length, .. labels]);
    }

    // Tells them apart by the red of 8 × 8 pixels of 0…255, the last class first.
    private static ModelProto BrightnessNet(bool takesBytes)
    {
        float[] levels = [.. Enumerable.Range(0, 10).Reverse().Select(label => 25f * label)];
        var model = ColourNet.Make([.. levels.SelectMany(level => new[] { 2 * level, 0, 0 })]);
        model.Graph.Initializer[1] = Tensors.Of("b", [.. levels.Select(level => -level * level)], levels.Length);
        if (takesBytes)
        {
            model.Graph.Input[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Uint8;
            model.Graph.Node.Insert(0, Nodes.Make("Cast", ["image"], "pixels", Nodes.Int("to", (long)TensorProto.Types.DataType.Float)));
            model.Graph.Node[1].Input[0] = "pixels";
        }
        else
        {
            InputMark.Write(model, new InputOptions(null, [0], [1], null, null).For(ModelGraph.Of(model.Clone())));
        }

        return model;
    }

    private string Model(string name, float[] weights, bool open = false) => Model(name, ColourNet.Make(weights, open));

    private string Model(string name, ModelProto model)
    {
        ModelFile.Save(model, At(name));
        return At(name);
    }
}
