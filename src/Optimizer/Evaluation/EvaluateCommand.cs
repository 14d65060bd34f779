using System.CommandLine;
using System.Text.Json;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Evaluation;

/// <summary><c>evaluate</c>: models side by side on the held-out images.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<FileInfo[]> Models = new("model") { Description = "ONNX files.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<FileInfo?> Reference = new("--reference") { Description = "An ONNX file that the others are held against." };
    private static readonly Option<FileInfo?> Split = new("--split") { Description = "The file of `split`: only its held-out images are used. Without it all of the data, or its test set, is taken to be held out." };
    private static readonly Option<FileInfo?> Labels = new("--labels") { Description = "A line (or a JSON string) for each output; by default MODEL.labels.txt beside the first model, if it is there." };
    private static readonly Option<FileInfo?> Json = new("--json") { Description = "Also write everything to this file, for scripts." };
    private static readonly Option<int> Limit = new("--limit") { Description = "Use only so many held-out images, evenly spread.", DefaultValueFactory = _ => int.MaxValue };
    private static readonly Option<double> Unreadable = new("--max-unreadable") { Description = "Share of images, 0…1, that may be unreadable and left out.", DefaultValueFactory = _ => ImageLimits.UnreadableShare };
    private static readonly Option<int> Frames = new("--frames") { Description = "Also classify so many rendered camera frames (Fashion-MNIST).", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Runs = new("--runs") { Description = "Inferences to time.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> Threads = new("--threads") { Description = "Images at once; each costs a session's memory.", DefaultValueFactory = _ => Environment.ProcessorCount };

    public static Command Create()
    {
        var command = new Command("evaluate", "Measures accuracy, calibration, size and latency by ONNX Runtime through the device's preprocessing.")
        {
            Models, DataOption.Any, Reference, Split, Labels, InputShapeOption.Shape, Json, Limit, Unreadable, Frames, Runs, Threads,
        };
        foreach (var option in InputOptions.All) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        foreach (var option in new[] { Limit, Runs, Threads })
            if (arguments.GetValue(option) < 1) throw new FormatException($"{option.Name} is {arguments.GetValue(option)}; it must be at least 1.");
        var path = arguments.GetValue(DataOption.Any)!;
        var isFashionMnist = FashionMnist.IsIn(path);
        if (arguments.GetValue(Frames) > 0 && !isFashionMnist) throw new FormatException("--frames renders garments of Fashion-MNIST only; leave it away for other data.");
        var data = DataListing.Open(path);
        var images = (arguments.GetValue(Split) is { } split ? SplitFile.Load(split.FullName).Apply(data).HeldOut : HeldOutImages.Whole(data)).Take(arguments.GetValue(Limit));

        var options = InputOptions.Of(arguments);
        List<FileInfo> files = [.. new[] { arguments.GetValue(Reference) }.OfType<FileInfo>(), .. arguments.GetValue(Models)!];
        var models = files.Select(f => EvaluatedModel.Load(f.FullName, InputShapeOption.Of(arguments), options, isFashionMnist)).ToList();
        var labels = (arguments.GetValue(Labels)?.FullName ?? models[^arguments.GetValue(Models)!.Length].LabelsFile) is { } file ? ClassMap.ReadLabels(file) : null;

        var reports = new List<ModelReport>();
        HeldOutAnswers? reference = null;
        IReadOnlyList<UnreadableImage> unreadable = [];
        foreach (var model in models)
        {
            var classes = ClassMap.Of(data, labels, model.OutputCount);
            var answers = HeldOutAnswers.Of(model, images, classes, arguments.GetValue(Threads), arguments.GetValue(Unreadable), cancellationToken);
            reports.Add(Report(arguments, model, answers, classes, reference, models[0].Path, cancellationToken));
            if (arguments.GetValue(Reference) is not null) reference ??= answers;
            unreadable = answers.Unreadable;
        }

        var report = new EvaluationReport(path, images.Samples.Count - unreadable.Count, unreadable, reports);
        if (unreadable.Count > 0) arguments.InvocationConfiguration.Error.WriteLine($"{HeldOutAnswers.Named(unreadable, images.Samples.Count)} They are left out.");
        EvaluationTables.Write(report, arguments.InvocationConfiguration.Output);
        if (arguments.GetValue(Json) is { } json) File.WriteAllText(json.FullName, JsonSerializer.Serialize(report, EvaluationJson.Default.EvaluationReport));
        return 0;
    }

    private static ModelReport Report(
        ParseResult arguments, EvaluatedModel model, HeldOutAnswers heldOut, ClassMap classes, HeldOutAnswers? reference, string referencePath, CancellationToken cancellationToken)
    {
        var answers = new ModelAnswers(heldOut.Answers);
        var count = answers.Answers.Count;
        var facts = GraphFacts.Of(model.Graph);
        using var evaluator = model.Open(classes.Names);
        return new ModelReport(
            model.Path, Estimate.Of(answers.CorrectCount, count), Estimate.Of(answers.AmongFiveCount, count), CalibrationError.Of(answers.Answers),
            facts.ParameterCount, facts.Macs, new FileInfo(model.Path).Length, evaluator.MedianLatency(arguments.GetValue(Runs)).TotalMilliseconds,
            OnFrames(arguments, model, classes, cancellationToken),
            ClassAnalysis.Classes(answers.Answers, reference?.Answers, classes.Names), ClassAnalysis.Confusions(answers.Answers, classes.Names),
            reference is null ? null : ClassAnalysis.Against(referencePath, reference.Answers, answers.Answers));
    }

    private static Estimate? OnFrames(ParseResult arguments, EvaluatedModel model, ClassMap classes, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(Frames) is not (> 0 and var count)) return null;
        var images = FashionMnist.ReadTest(arguments.GetValue(DataOption.Any)!).Take(count);
        using var evaluator = (model with { Input = FashionMnist.Input(model.Input.Tensor, BeltScene.Window) }).Open(classes.Names);
        return Estimate.Of(evaluator.AnswerFrames(images, cancellationToken).CorrectCount, images.Count);
    }
}
