using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Runtime.Preprocessing;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary><c>quantize</c>: float32 ONNX in, int8 QDQ ONNX out.</summary>
internal static class QuantizeCommand
{
    private const int FewestImages = 16;
    private const int SensitivityImages = 64;

    private static readonly Dictionary<string, CalibrationMethod> Methods = new()
    {
        ["min-max"] = CalibrationMethod.MinMax, ["percentile"] = CalibrationMethod.Percentile, ["mse"] = CalibrationMethod.Mse,
    };

    private static readonly Argument<FileInfo> Model = new("model") { Description = "A float32 ONNX file." };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write.", Required = true };
    private static readonly Option<int> Images = new("--images") { Description = "Training images to calibrate with.", DefaultValueFactory = _ => 512 };
    private static readonly Option<int> CheckImages = new("--check-images") { Description = "Other training images, on which the limit must hold.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> Seed = new("--seed") { Description = "Chooses the images.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Calibrate = new("--calibration") { Description = "How the ranges of activations are found.", DefaultValueFactory = _ => "min-max" };
    private static readonly Option<double> Percentile = new("--percentile") { Description = "Percent of the values that stay in range at either end.", DefaultValueFactory = _ => 99.999 };
    private static readonly Option<bool> PlainBias = new("--no-bias-correction") { Description = "Leave the biases as trained." };
    private static readonly Option<string> Target = new("--target") { Description = "The CPU; x64-avx2 is for x64 without VNNI.", DefaultValueFactory = _ => QuantizationTarget.X64Vnni.Name };
    private static readonly Option<string?> Limit = new("--limit") { Description = "Keep the worst layers in float until top1>=-1.0pt (points that may be lost), top1>=0.915 or agreement>=99 (percent) holds." };
    private static readonly Option<bool> Sensitivities = new("--sensitivity") { Description = "Measure each layer's sensitivity in any case." };
    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON instead of tables." };

    public static Command Create()
    {
        Calibrate.AcceptOnlyFromAmong([.. Methods.Keys]);
        Target.AcceptOnlyFromAmong([.. QuantizationTarget.All.Select(t => t.Name)]);
        var command = new Command("quantize", "Quantizes to int8 (static QDQ: weights signed and per channel), and shows what ONNX Runtime makes of it.")
        {
            Model, DataOption.Folder, InputShapeOption.Shape, Out, Images, CheckImages, Seed, Calibrate, Percentile, PlainBias, Target, Limit, Sensitivities, Json,
        };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var limit = arguments.GetValue(Limit) is { } text ? AccuracyLimit.Parse(text) : null;
        var options = OptionsOf(arguments);
        var (calibration, check) = Choose(FashionMnist.ReadTraining(arguments.GetValue(DataOption.Folder)!.FullName), arguments);
        var file = arguments.GetValue(Model)!;
        var graph = ModelGraph.Load(file.FullName, InputShapeOption.Of(arguments));
        var quantization = PostTraining.Calibrate(graph, Preprocessed(calibration, graph.Input.Name), options, cancellationToken);
        var sensitivities = new Lazy<IReadOnlyList<LayerSensitivity>>(() => LayerSensitivity.Measure(
            quantization, [.. Preprocessed(calibration.Take(SensitivityImages), graph.Input.Name).Select(i => (float[])i.Clone())], cancellationToken));
        if (arguments.GetValue(Sensitivities)) _ = sensitivities.Value;

        int[] labels = [.. check.Labels.ToArray()];
        Scores ScoresOf(ModelProto model) => Scores.Of(model, graph.Input, Preprocessed(check, graph.Input.Name), cancellationToken);
        var reference = ScoresOf(graph.Model);
        bool Holds(Scores candidate) => limit?.Holds(reference.Accuracy(labels), candidate.Accuracy(labels), reference.Agreement(candidate)) ?? true;
        var (result, keptFloat) = MixedPrecision.Find(quantization, sensitivities, m => Holds(ScoresOf(m.Model)), cancellationToken);

        Provenance.Add(result.Model, TechniqueOf(options, calibration.Count, keptFloat.Count));
        Provenance.AddCommand(result.Model, arguments);
        var path = arguments.GetValue(Out)!.FullName;
        ModelFile.Save(result.Model, path);
        var scores = ScoresOf(result.Model);
        var report = new QuantizationReport(
            path, options.Target.Name, arguments.GetValue(Calibrate)!, calibration.Count, file.Length, new FileInfo(path).Length, result.BiasError,
            reference.Divergence(scores), reference.Agreement(scores), reference.Accuracy(labels), scores.Accuracy(labels), check.Count,
            limit is null ? null : Holds(scores), keptFloat, FusionEvidence.Of(quantization.Plan, result.Model, keptFloat.ToHashSet()),
            sensitivities.IsValueCreated ? sensitivities.Value : []);
        var output = arguments.InvocationConfiguration.Output;
        if (arguments.GetValue(Json)) output.WriteLine(report.ToJson());
        else report.WriteTables(output);
        // The file is there to be looked at; a script must not take it for what was asked.
        return report.LimitHolds == false ? 1 : 0;
    }

    private static QuantizationOptions OptionsOf(ParseResult arguments)
    {
        var percentile = arguments.GetValue(Percentile);
        if (percentile is not (> 50 and <= 100)) throw new FormatException($"--percentile is {percentile}; it must be over 50 and at most 100.");
        return new QuantizationOptions
        {
            Target = QuantizationTarget.All.Single(t => t.Name == arguments.GetValue(Target)),
            Calibration = Methods[arguments.GetValue(Calibrate)!],
            Percentile = percentile,
            CorrectBias = !arguments.GetValue(PlainBias),
        };
    }

    /// <summary>What calibrates and what is checked, without an image in common.</summary>
    private static (LabelledImages Calibration, LabelledImages Check) Choose(LabelledImages images, ParseResult arguments)
    {
        var (calibrating, checking) = (arguments.GetValue(Images), arguments.GetValue(CheckImages));
        if (calibrating < FewestImages) throw new FormatException($"--images is {calibrating}; calibration needs at least {FewestImages}.");
        if (checking < FewestImages) throw new FormatException($"--check-images is {checking}; it must be at least {FewestImages}.");
        if (calibrating + checking > images.Count)
            throw new InvalidDataException($"There are {images.Count} images where {calibrating} to calibrate and {checking} to check are wanted; give more, or ask for fewer with --images and --check-images.");
        int[] order = [.. Enumerable.Range(0, images.Count)];
        new Random(arguments.GetValue(Seed)).Shuffle(order);
        return (images.Select(order[..calibrating]), images.Select(order[calibrating..(calibrating + checking)]));
    }

    private static Technique TechniqueOf(QuantizationOptions options, int imageCount, int keptFloatCount) => new()
    {
        Kind = "quantized",
        Summary = keptFloatCount == 0 ? "int8 QDQ per-channel" : $"int8 QDQ per-channel, {keptFloatCount} layers in float",
        Parameters = new Dictionary<string, string>
        {
            ["activations"] = options.Target.SignedActivations ? "s8" : "u8",
            ["weights"] = "s8",
            ["target"] = options.Target.Name,
            ["calibration"] = Methods.Single(m => m.Value == options.Calibration).Key,
            ["biasCorrection"] = options.CorrectBias ? "yes" : "no",
            ["images"] = imageCount.ToString(CultureInfo.InvariantCulture),
        },
    };

    private static IEnumerable<float[]> Preprocessed(LabelledImages images, string input)
    {
        using var preprocessor = new Preprocessor(FashionMnist.Input(input, region: null));
        var tensor = new float[preprocessor.TensorLength];
        for (var i = 0; i < images.Count; i++)
        {
            preprocessor.ProcessModelSized(images.Image(i), tensor);
            yield return tensor;
        }
    }
}
