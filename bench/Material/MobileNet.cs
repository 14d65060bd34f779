using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Packing;
using Dunlin.Optimizer.Quantization;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Bench.Material;

/// <summary>MobileNetV2 of the shared data in float and, quantized here, in int8; each as a model file, a saved model, and both as a bundle.</summary>
internal sealed class MobileNet(Workshop workshop)
{
    public const string Float = "mobilenet-v2-fp32";
    public const string Integer = "mobilenet-v2-int8";
    private const string Name = "mobilenet-v2";
    private const int CalibrationCount = 100;
    private const int Golden = GoldenSpec.MinimumSampleCount;
    private const long MiB = 1 << 20;

    public static InputSpec Input { get; } = new()
    {
        Tensor = "input", Layout = TensorLayout.Nchw, Channels = ChannelOrder.Rgb, Width = 224, Height = 224, ElementType = ElementType.Float32,
        Fit = FitMode.Stretch, Interpolation = Interpolation.Area, Mean = [127.5f, 127.5f, 127.5f], Scale = [1 / 127.5f, 1 / 127.5f, 1 / 127.5f],
    };

    // The graph ends in a softmax.
    private static readonly OutputSpec Output = new() { Tensor = "output", Activation = Activation.None };

    public Photographs Photographs { get; } = new(workshop);

    public IReadOnlyList<string> Labels { get; } = Distinct(File.ReadAllLines(workshop.ImageNetFile("labels.txt")));

    public string ModelPath(string variant) => variant == Float ? workshop.ImageNetFile("mobilenet_v2.onnx") : workshop.Once($"{Integer}.onnx", Quantize);

    /// <summary>Loads the saved form.</summary>
    public SessionSpec Saved(string variant, int threads = 1) => workshop.Saved(Spec(variant, threads));

    public string Bundle() => workshop.Once("bundle-mobilenet-v2", Pack);

    private SessionSpec Spec(string variant, int threads) => new()
    {
        ModelPath = ModelPath(variant),
        Saved = false,
        Release = Digest.Of("bench"u8),
        Contender = new ContenderId(variant, Providers.Cpu, threads),
        Input = Input,
        Output = Output,
        Labels = Labels,
    };

    private void Quantize(string path)
    {
        var images = Photographs.Tensors(Input, Enumerable.Range(0, CalibrationCount));
        var quantization = PostTraining.Calibrate(ModelGraph.Load(ModelPath(Float)), images, new QuantizationOptions(), CancellationToken.None);
        ModelFile.Save(quantization.Quantize(new HashSet<string>(), CancellationToken.None).Model, path);
    }

    private void Pack(string directory)
    {
        // The calibration images are not among them.
        var golden = Enumerable.Range(CalibrationCount, Golden).ToList();
        var labels = golden.Select(Photographs.Label).ToList();
        var answers = new[] { Float, Integer }.ToDictionary(variant => variant, variant => Answer(variant, golden, labels));
        var writer = new BundleWriter();
        writer.Write(directory, new Manifest
        {
            Schema = Manifest.CurrentSchema, Name = Name, Version = 1, Label = "1.0.0", SecurityEpoch = 1, MinAgent = "0.1.0",
            Task = Manifest.ImageClassification, Created = TimeProvider.System.GetUtcNow(), Input = Input, Output = Output,
            Labels = writer.AddLabels(Labels),
            Golden = new GoldenSpec
            {
                SampleCount = Golden,
                Blob = writer.AddGolden(new GoldenContent
                {
                    Shape = new GoldenShape(Golden, Input.Height, Input.Width, Input.ChannelCount),
                    Pixels = golden.SelectMany(i => Photographs.Pixels(i, Input.Width)).ToArray(),
                    Labels = labels,
                    Predictions = answers.ToDictionary(pair => pair.Key, pair => pair.Value.Predictions),
                }),
            },
            AccuracyFloor = 0.5,
            Variants = [VariantOf(Float, Precision.Fp32), VariantOf(Integer, Precision.Int8)],
        });

        Variant VariantOf(string id, Precision precision)
        {
            var graph = ModelFile.Load(ModelPath(id)).Graph;
            return new Variant
            {
                Id = id,
                Blob = writer.AddFile(ModelPath(id)),
                Precision = precision,
                Techniques = [],
                ParameterCount = graph.Initializer.Sum(Tensors.ElementCount),
                Macs = 0,
                PeakMemoryByteCount = 0,
                Accuracy = answers[id].ToAccuracy(),
                Floors = FloorChoice.For(precision, answers[id].CorrectCount, Golden),
                Requires = new Requirements { ExecutionProviders = [Providers.Cpu], CpuFeatures = [], MemoryByteCount = 64 * MiB },
                Operators = [.. graph.Node.Select(node => node.OpType).Distinct().Order(StringComparer.Ordinal)],
                Limits = new Limits { LoadMilliseconds = 20_000, MemoryByteCount = 512 * MiB },
            };
        }
    }

    private ModelAnswers Answer(string variant, IReadOnlyList<int> images, List<int> labels)
    {
        using var session = ModelSession.Create(Saved(variant));
        using var input = session.CreateInput();
        var answers = new List<ImageAnswer>();
        foreach (var tensor in Photographs.Tensors(Input, images))
        {
            tensor.CopyTo(input.Floats);
            answers.Add(ImageAnswer.Of(session.Run(input), labels[answers.Count]));
        }

        return new ModelAnswers(answers);
    }

    /// <summary>ImageNet has two cranes and two maillots; a bundle's labels differ.</summary>
    private static string[] Distinct(string[] labels)
    {
        var seen = new HashSet<string>();
        return [.. labels.Select((label, index) => seen.Add(label) ? label : $"{label} ({index})")];
    }
}
