using System.CommandLine;
using System.Globalization;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Spectre.Console;

namespace Dunlin.Optimizer.Evaluation;

/// <summary><c>evaluate</c>: models side by side on the held-out images.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<FileInfo[]> Models = new("model") { Description = "ONNX files.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<int> Limit = new("--limit") { Description = "Use only so many held-out images.", DefaultValueFactory = _ => int.MaxValue };
    private static readonly Option<int> Frames = new("--frames") { Description = "Also classify so many rendered camera frames.", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Runs = new("--runs") { Description = "Inferences to time.", DefaultValueFactory = _ => 1000 };

    public static Command Create()
    {
        var command = new Command("evaluate", "Measures accuracy, size and latency by ONNX Runtime through the device's preprocessing.") { Models, DataOption.Folder, Limit, Frames, Runs };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var images = FashionMnist.ReadTest(arguments.GetValue(DataOption.Folder)!.FullName).Take(arguments.GetValue(Limit));
        var table = new Table().AddColumns("model", "top-1 %", "95 % interval", "top-5 %", "on frames %", "parameters", "MMAC", "kB", "1-thread ms");
        foreach (var file in arguments.GetValue(Models)!)
        {
            var model = ModelFile.Load(file.FullName);
            var facts = GraphFacts.Of(model);
            using var evaluator = new Evaluator(file.FullName, FashionMnist.Input(ModelEnds.InputOf(model), BeltScene.Window), ModelEnds.OutputOf(model), images.ClassNames);
            var accuracy = evaluator.Answer(images, cancellationToken).ToAccuracy();
            var frames = arguments.GetValue(Frames) is > 0 and var count ? evaluator.AnswerFrames(images.Take(count), cancellationToken).ToAccuracy() : null;
            var latency = evaluator.MedianLatency(arguments.GetValue(Runs));
            table.AddRow(
                Path.GetFileNameWithoutExtension(file.Name), Percent(accuracy.Top1), $"{Percent(accuracy.Top1Low)}–{Percent(accuracy.Top1High)}",
                Percent(accuracy.Top5), frames is null ? "" : $"{Percent(frames.Top1)} of {frames.SampleCount}", $"{facts.ParameterCount}",
                Number(facts.Macs / 1e6, "f2"), $"{file.Length / 1000}", Number(latency.TotalMilliseconds, "f3"));
        }

        PlainConsole.Write(table, arguments.InvocationConfiguration.Output);
        return 0;
    }

    private static string Percent(double share) => Number(share * 100, "f2");
    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
