using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Quantization;

/// <summary><c>quantize</c>: float32 ONNX in, int8 QDQ ONNX out.</summary>
internal static class QuantizeCommand
{
    private const int FewestImages = 16;
    private const int SensitivityImages = 64;

    private static readonly Argument<FileInfo> Model = new("model") { Description = "A float32 ONNX file." };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write.", Required = true };
    private static readonly Option<int> Images = new("--images") { Description = "Calibration images to use, at most.", DefaultValueFactory = _ => 512 };
    private static readonly Option<int> CheckImages = new("--check-images") { Description = "Search images, at most, on which the limit must hold.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> Seed = new("--seed") { Description = "Chooses the images.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Calibrate = new("--calibration") { Description = "How the ranges of activations are found.", DefaultValueFactory = _ => "mse" };
    private static readonly Option<double> Percentile = new("--percentile") { Description = "Percent of the values that stay in range at either end.", DefaultValueFactory = _ => 99.999 };
    private static readonly Option<bool> PlainBias = new("--no-bias-correction") { Description = "Leave the biases as trained." };
    private static readonly Option<string?> Limit = new("--limit") { Description = "Keep the worst layers in float until top1>=-1.0pt (points that may be lost), top1>=0.915 or agreement>=99 (percent) holds." };
    private static readonly Option<int> TrainingEpochs = new("--qat-epochs") { Description = "Train the weights on their grids for so many epochs of the training images; with --limit only where the whole model does not hold it.", DefaultValueFactory = _ => 0 };
    private static readonly Option<bool> Sensitivities = new("--sensitivity") { Description = "Measure each layer's sensitivity in any case." };
    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON instead of tables." };

    public static Command Create()
    {
        Calibrate.AcceptOnlyFromAmong([.. QuantizationOptions.Methods.Keys]);
        var command = new Command("quantize", "Quantizes to int8 (static QDQ: weights signed and per channel), and shows what ONNX Runtime makes of it.")
        {
            Model, InputShapeOption.Shape, Out, Images, CheckImages, Seed, Calibrate, Percentile, PlainBias, TargetOption.Target, Limit, TrainingEpochs, Sensitivities, Json,
        };
        foreach (var option in LearningData.Options) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var limit = arguments.GetValue(Limit) is { } text ? AccuracyLimit.Parse(text) : null;
        var options = OptionsOf(arguments);
        var (calibrating, checking, epochs) = (arguments.AtLeast(Images, FewestImages), arguments.AtLeast(CheckImages, FewestImages), arguments.Checked(TrainingEpochs, 0, 10_000));
        var data = DataListing.Open(arguments.GetValue(DataOption.Any)!);
        var file = arguments.GetValue(Model)!;
        var path = arguments.GetValue(Out)!.FullName;
        var graph = ModelGraph.Load(file.FullName, InputShapeOption.Of(arguments));
        var streams = arguments.InvocationConfiguration;
        if (options.Target.Doubt is { } doubt) streams.Error.WriteLine(doubt);
        var learning = LearningData.Of(arguments, data, graph, file.FullName, path, said: arguments.GetValue(Json) ? streams.Error : streams.Output);
        using var calibration = Read(learning, SplitPart.Calibration, calibrating, arguments, cancellationToken);
        using var check = Read(learning, SplitPart.Search, checking, arguments, cancellationToken, fewest: limit is null ? 1 : FewestImages);
        var against = new AccuracyCheck(graph, check, limit, cancellationToken);
        var quantization = PostTraining.Calibrate(graph, calibration.Tensors(), options, cancellationToken);
        var isTrained = epochs > 0 && (limit is null || !against.Holds(quantization.Quantize(new HashSet<string>(), cancellationToken)));
        if (isTrained) quantization = AwareTraining.Run(arguments, quantization, learning, file.FullName, path, epochs, arguments.GetValue(Seed), cancellationToken);
        var sensitivities = new Lazy<IReadOnlyList<LayerSensitivity>>(() => LayerSensitivity.Measure(
            quantization, [.. calibration.Take(SensitivityImages).Tensors().Select(i => (float[])i.Clone())], cancellationToken));
        if (arguments.GetValue(Sensitivities)) _ = sensitivities.Value;
        var (result, keptFloat) = MixedPrecision.Find(quantization, sensitivities, against.Holds, cancellationToken);

        Provenance.Add(result.Model, quantization.Technique(calibration.Count, keptFloat.Count));
        Provenance.AddCommand(result.Model, arguments);
        learning.Mark(result.Model);
        ModelFile.Save(result.Model, path);
        var scores = against.ScoresOf(result.Model);
        var report = new QuantizationReport(
            path, options.Target.Name, arguments.GetValue(Calibrate)!, calibration.Count, isTrained ? epochs : 0, file.Length, new FileInfo(path).Length, result.BiasError,
            against.Reference.Divergence(scores), against.Reference.Agreement(scores), against.Reference.Accuracy(against.Labels), scores.Accuracy(against.Labels), check.Count,
            against.Holds(scores), keptFloat, FusionEvidence.Of(quantization.Plan, result.Model, keptFloat.ToHashSet()),
            sensitivities.IsValueCreated ? sensitivities.Value : []);
        if (arguments.GetValue(Json)) streams.Output.WriteLine(report.ToJson());
        else report.WriteTables(streams.Output);
        // The file is there to be looked at; a script must not take it for what was asked.
        return report.LimitHolds == false ? 1 : 0;
    }

    private static QuantizationOptions OptionsOf(ParseResult arguments)
    {
        var percentile = arguments.GetValue(Percentile);
        if (percentile is not (> 50 and <= 100)) throw new FormatException($"--percentile is {percentile}; it must be over 50 and at most 100.");
        return new QuantizationOptions
        {
            Target = TargetOption.Of(arguments),
            Calibration = QuantizationOptions.Methods[arguments.GetValue(Calibrate)!],
            Percentile = percentile,
            CorrectBias = !arguments.GetValue(PlainBias),
        };
    }

    private static PixelSet Read(LearningData data, SplitPart part, int count, ParseResult arguments, CancellationToken cancellationToken, int fewest = FewestImages) =>
        data.CountOf(part) is var there && there < fewest
            ? throw new InvalidDataException($"The data has {there} {SplitShares.Word(part)} images; quantizing needs {fewest}. Give more images, or make a split with a larger share for them.")
            : data.Read(part, count, arguments.GetValue(Seed), cancellationToken);
}
