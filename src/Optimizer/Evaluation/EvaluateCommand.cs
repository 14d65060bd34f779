using System.CommandLine;
using System.Text.Json;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Evaluation;

/// <summary><c>evaluate</c>: models side by side on the held-out images.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<FileInfo[]> Models = new("model") { Description = "ONNX files.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<FileInfo?> Reference = new("--reference") { Description = "An ONNX file that the others are held against." };
    private static readonly Option<FileInfo?> Json = new("--json") { Description = "Also write everything to this file, for scripts." };
    private static readonly Option<int> Frames = new("--frames") { Description = "Also classify so many rendered camera frames (Fashion-MNIST).", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds of timing, in each of which every model has a turn.", DefaultValueFactory = _ => InterleavedLatency.RoundCount };

    public static Command Create()
    {
        var command = new Command("evaluate", "Measures accuracy, calibration, size and latency by ONNX Runtime through the device's preprocessing.") { Models, Reference, Json, Frames, Rounds };
        foreach (var option in EvaluationSetup.Options.Concat(HeldOutAnswers.Options)) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var rounds = arguments.AtLeast(Rounds, 1);
        var frames = FramesOf(arguments);
        List<FileInfo> files = [.. EvaluationSetup.Without(arguments.GetValue(Reference), arguments.GetValue(Models)!)];
        if (arguments.GetValue(Reference) is { } first) files.Add(first);
        var setup = EvaluationSetup.Of(arguments, files);
        // Before a long evaluation: all can be judged, and what comes of it has a place.
        foreach (var model in setup.Models) _ = setup.ClassesOf(model);
        arguments.GetValue(Json)?.Directory!.Create();
        IReadOnlyList<EvaluatedModel> models = arguments.GetValue(Reference) is null ? setup.Models : [setup.Models[^1], .. setup.Models.SkipLast(1)];

        var answers = models.Select(m => HeldOutAnswers.Of(arguments, m, setup, cancellationToken)).ToList();
        var times = InterleavedLatency.Measure(
            [.. models.Select(m => m.Session(setup.ClassesOf(m).Names, threads: 1))], rounds, InterleavedLatency.Budget, cancellationToken);
        var reports = models.Select((m, i) => ModelReport.Of(
            m, answers[i].Answers, setup.ClassesOf(m).Names, times[i].Milliseconds, OnFrames(frames, m, setup.ClassesOf(m), cancellationToken),
            i > 0 && arguments.GetValue(Reference) is not null ? (models[0].Path, answers[0].Answers) : null)).ToList();

        var unreadable = answers[^1].Unreadable;
        var report = new EvaluationReport(setup.Path, answers[^1].Answers.Count, unreadable, reports);
        if (unreadable.Count > 0) arguments.InvocationConfiguration.Error.WriteLine($"{UnreadableImage.Sentence(unreadable, setup.Images.Samples.Count)} They are left out.");
        EvaluationTables.Write(report, arguments.InvocationConfiguration.Output);
        if (arguments.GetValue(Json) is { } json) File.WriteAllText(json.FullName, JsonSerializer.Serialize(report, EvaluationJson.Default.EvaluationReport));
        return 0;
    }

    private static LabelledImages? FramesOf(ParseResult arguments)
    {
        if (arguments.AtLeast(Frames, 0) is not (> 0 and var count)) return null;
        var data = arguments.GetValue(DataOption.Any)!;
        if (!FashionMnist.IsIn(data)) throw new FormatException("--frames renders garments of Fashion-MNIST only; leave it away for other data.");
        return FashionMnist.ReadTest(data).Take(count);
    }

    private static Estimate? OnFrames(LabelledImages? frames, EvaluatedModel model, ClassMap classes, CancellationToken cancellationToken)
    {
        if (frames is null) return null;
        using var evaluator = (model with { Input = model.Input with { RegionOfInterest = BeltScene.Window } }).Open(classes.Names);
        return Estimate.Of(evaluator.AnswerFrames(frames, classes, cancellationToken).CorrectCount, frames.Count);
    }
}
