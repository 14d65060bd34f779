using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Packing;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;
using Dunlin.TestKit;

namespace Dunlin.Optimizer.Tests.Packing;

public sealed class PackerTests : IDisposable
{
    private static readonly InputSpec Input = GarmentInput.Of("image", region: null);
    private static readonly OutputSpec Output = new() { Tensor = "logits", Activation = Activation.Softmax };
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-pack").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task APackedBundleOpensAndTellsWhatWasMeasured()
    {
        var samples = Stripes.Samples(300);
        var heldOut = HeldOutImages.Whole(new DataListing(samples, Stripes.ClassNames));
        using var golden = PixelSet.Read(GoldenChoice.From(samples, 210), Stripes.Classes, Input, unreadableShare: 0, Stop);
        var variants = new List<VariantMeasurement>();
        foreach (var model in Models().Select(path => new EvaluatedModel(path, ModelGraph.Load(path), Input, Output)))
            variants.Add(await VariantMeasurement.MeasureAsync(model, HeldOutAnswers.Of(model, heldOut, Stripes.Classes, threads: 2, unreadableShare: 0, Stop), golden, Stop));
        var directory = Path.Combine(_folder, "bundle");

        new Packer(Input, Output, golden).Pack(directory, new ReleaseName("stripes", 3, "0.3.0"), variants, 0.2, DateTimeOffset.UnixEpoch);

        var bundle = Bundle.Open(directory);
        var set = bundle.OpenGolden();
        Assert.Equal(["net", "net-int8"], bundle.Manifest.Variants.Select(v => v.Id));
        Assert.Equal([Precision.Fp32, Precision.Int8], bundle.Manifest.Variants.Select(v => v.Precision));
        Assert.Equal(golden.Pixels(17), set.Image(17));
        foreach (var (variant, measured) in bundle.Manifest.Variants.Zip(variants))
        {
            using var evaluator = new Evaluator(bundle.PathOf(variant), Input, Output, bundle.Labels);
            Assert.Equal(300, variant.Accuracy.SampleCount);
            Assert.Equal(measured.Answers.CorrectCount / 300.0, variant.Accuracy.Top1);
            Assert.Equal(evaluator.Answer(golden, Stop).Predictions, measured.GoldenPredictions);
            Assert.Equal(measured.GoldenPredictions, Enumerable.Range(0, set.Count).Select(i => set.Prediction(variant.Id, i)));
            Assert.InRange(variant.PeakMemoryByteCount, 5_000_000, 200_000_000);
            Assert.True(variant.Limits.MemoryByteCount > measured.Cost.DataByteCount);
        }
    }

    [Fact]
    public void TheDemoBundleIsWhatTheIssueAsksFor()
    {
        var directory = RepositoryFolder.DemoBundle;
        var bundle = Bundle.Open(directory);
        var variants = bundle.Manifest.Variants.ToDictionary(v => v.Id);

        Assert.InRange(new DirectoryInfo(Path.GetDirectoryName(directory)!).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length), 1, 4_000_000);
        Assert.Subset(variants.Keys.ToHashSet(), new HashSet<string> { "reference", "reference-int8" });
        Assert.Null(bundle.Signature);
        Assert.True(bundle.OpenGolden().Count >= GoldenSpec.MinimumSampleCount);
        var lightest = variants[DemoVariants.Lightest];
        Assert.True(lightest.Macs * 3 < variants["reference"].Macs);
        Assert.Contains(lightest.Techniques, t => t.Kind == "distilled");
        Assert.Contains(lightest.Techniques, t => t.Kind == "quantized");
        Assert.InRange(variants["reference"].Accuracy.Top1, 0.925, 1);
        Assert.Contains(variants.Values, v => v.Precision == Precision.Fp32 && v.Techniques.Any(t => t.Kind == "distilled")
            && v.ParameterCount < variants["reference"].ParameterCount && v.Blob.Size < variants["reference"].Blob.Size
            && variants.TryGetValue($"{v.Id}-int8", out var quantized) && quantized.Precision == Precision.Int8 && quantized.Blob.Size < v.Blob.Size);
        Assert.All(variants.Values, v =>
        {
            Assert.Equal(10_000, v.Accuracy.SampleCount);
            var (low, high) = Wilson(v.Accuracy.Top1, v.Accuracy.SampleCount);
            Assert.Equal(low, v.Accuracy.Top1Low, 1e-9);
            Assert.Equal(high, v.Accuracy.Top1High, 1e-9);
        });
    }

    [Theory]
    [InlineData(1_200_000, 5, 5000)]
    [InlineData(14_000_000, 60, 5000)]
    [InlineData(553_000_000, 700, 90_300)]
    [InlineData(2_000_000_000, 9000, 600_000)]
    public void ALoadLimitLeavesTimeToASlowBoardWithASlowCard(long byteCount, long loadMilliseconds, int limit) =>
        Assert.Equal(limit, VariantMeasurement.LoadLimit(byteCount, loadMilliseconds));

    [Fact]
    public void TheManifestOfTheDemoTellsTheTruthAboutTheHeldOutImages()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        using var images = Garments(10_000);
        var bundle = Bundle.Open(RepositoryFolder.DemoBundle);
        foreach (var variant in bundle.Manifest.Variants)
        {
            using var evaluator = new Evaluator(bundle.PathOf(variant), bundle.Manifest.Input, bundle.Manifest.Output, bundle.Labels);
            // Another CPU may round a few images to the other side.
            Assert.Equal(variant.Accuracy.Top1, evaluator.Answer(images, Stop).ToAccuracy().Top1, 0.003);
        }
    }

    [Fact]
    public void ACameraFrameIsClassifiedAsTheImageInItIs()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var images = FashionMnist.ReadTest(FashionMnist.DebianFolder).Take(300);
        var bundle = Bundle.Open(RepositoryFolder.DemoBundle);
        using var evaluator = new Evaluator(bundle.PathOf(bundle.Manifest.Variants[0]), bundle.Manifest.Input, bundle.Manifest.Output, bundle.Labels);
        using var pixels = Garments(images.Count);
        var same = evaluator.Answer(pixels, Stop).Predictions.Zip(evaluator.AnswerFrames(images, ClassMap.Of(DataListing.Open(FashionMnist.DebianFolder), labels: null, 10), Stop).Predictions).Count(p => p.First == p.Second);
        Assert.True(same >= 285, $"{same} of {images.Count} frames are classified as their image is");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Wilson 1927, written down a second time: the proportions that lie 1.96 of their own standard errors from the one that was seen.</summary>
    private static (double Low, double High) Wilson(double share, int count)
    {
        const double z = 1.959963984540054;
        var (square, linear) = (1 + (z * z / count), (2 * share) + (z * z / count));
        var root = Math.Sqrt((linear * linear) - (4 * square * share * share));
        return ((linear - root) / (2 * square), (linear + root) / (2 * square));
    }

    private static PixelSet Garments(int count)
    {
        var data = DataListing.Open(FashionMnist.DebianFolder);
        return PixelSet.Read([.. HeldOutImages.Whole(data).Samples.Take(count)], ClassMap.Of(data, labels: null, 10), Input, unreadableShare: 0, Stop);
    }

    private string[] Models()
    {
        var spec = new ResidualSpec([16, 32], [1, 1], StemStride: 2, ClassCount: 3);
        var model = FoldedResidual.Make(spec, Stripes.Side);
        var random = new Random(2);
        var calibration = Enumerable.Range(0, 20).Select(_ => Enumerable.Range(0, 784).Select(_ => random.NextSingle() * 3 - 1).ToArray()).ToList();
        string[] paths = [Path.Combine(_folder, "net.onnx"), Path.Combine(_folder, "net-int8.onnx")];
        ModelFile.Save(model, paths[0]);
        ModelFile.Save(PostTraining.Calibrate(ModelGraph.Of(model), calibration, new QuantizationOptions(), Stop).Quantize(new HashSet<string>(), Stop).Model, paths[1]);
        return paths;
    }
}
