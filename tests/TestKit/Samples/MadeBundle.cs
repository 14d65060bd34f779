using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.TestKit.Onnx;

namespace Dunlin.TestKit.Samples;

/// <summary>
/// Small bundles around models of ours that name the brightest channel. Each golden image has one channel brighter than the
/// others, so that a model that works is right in all of them.
/// </summary>
public static class MadeBundle
{
    public const int Side = 8;
    private const int SampleCount = 200;

    public static Bundle Write(string directory, params (string Id, byte[] Model)[] variants) => Write(directory, 1, ["red", "green", "blue"], variants);

    /// <summary>One of several releases of the same name, told apart by version and labels.</summary>
    public static Bundle Write(string directory, int version, string[] labels, params (string Id, byte[] Model)[] variants)
    {
        var writer = new BundleWriter();
        var template = SampleDocuments.Manifest();
        var manifest = template with
        {
            Version = version,
            Label = $"0.0.{version}",
            Input = template.Input with
            {
                Tensor = OnnxModels.Input,
                Width = Side,
                Height = Side,
                RegionOfInterest = null,
                Fit = FitMode.Stretch,
                CropFraction = 1,
                Interpolation = Interpolation.Bilinear,
                Mean = [0, 0, 0],
                Scale = [1 / 255f, 1 / 255f, 1 / 255f],
            },
            Output = template.Output with { Tensor = OnnxModels.Output },
            Labels = writer.AddLabels(labels),
            Golden = new GoldenSpec { Blob = writer.AddGolden(Golden([.. variants.Select(v => v.Id)])), SampleCount = SampleCount },
            Variants = [.. variants.Select(variant => VariantOf(writer, variant.Id, variant.Model))],
        };
        return writer.Write(directory, manifest);
    }

    private static Variant VariantOf(BundleWriter writer, string id, byte[] model) => SampleDocuments.Variant(id) with
    {
        Blob = writer.AddBytes(model),
        Techniques = [],
        Requires = new Requirements { ExecutionProviders = ["CPUExecutionProvider"], CpuFeatures = [], MemoryByteCount = 10_000_000 },
        Operators = ["Add", "Cast", "Concat", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Loop", "Mul", "Neg", "ReduceSum", "Relu", "Reshape", "Sqrt", "Tile"],
        Limits = new Limits { LoadMilliseconds = 2000, MemoryByteCount = 200_000_000 },
    };

    private static GoldenContent Golden(IReadOnlyList<string> variants)
    {
        var shape = new GoldenShape(SampleCount, Side, Side, 3);
        var pixels = new byte[SampleCount * shape.ImageByteCount];
        int[] labels = [.. Enumerable.Range(0, SampleCount).Select(i => i % 3)];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i % 3 == labels[i / shape.ImageByteCount] ? 200 : 40);
        return new GoldenContent { Shape = shape, Pixels = pixels, Labels = labels, Predictions = variants.ToDictionary(id => id, _ => (IReadOnlyList<int>)labels) };
    }
}
