using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary><c>train</c>: data set in, ONNX out.</summary>
internal static class TrainCommand
{
    private static readonly Option<string> Widths = new("--widths") { Description = "Channels per stage.", DefaultValueFactory = _ => "32,64,128" };
    private static readonly Option<int> Blocks = new("--blocks") { Description = "Residual blocks per stage.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> StemStride = new("--stem-stride") { Description = "1, or 2 to halve the image at once.", DefaultValueFactory = _ => 2 };
    private static readonly Option<FileInfo?> Teacher = new("--teacher") { Description = "An ONNX classifier to distil from." };
    private static readonly Option<double> Rate = new("--learning-rate") { Description = "The peak of the one-cycle schedule.", DefaultValueFactory = _ => 0.1 };

    public static Command Create()
    {
        var command = new Command("train", "Trains a residual network on Fashion-MNIST, alone or distilled, and writes it as ONNX.")
        {
            DataOption.Folder, TrainingRun.Out, Widths, Blocks, StemStride, TrainingRun.Epochs, Teacher, Rate, TrainingRun.Limit, TrainingRun.Seed, TrainingRun.Threads, TrainingRun.BFloat16,
        };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var images = TrainingRun.Images(arguments);
        var spec = new ResidualSpec(
            ResidualSpec.ParseWidths(arguments.GetValue(Widths)!), TrainingRun.Checked(arguments, Blocks, 1, 100), TrainingRun.Checked(arguments, StemStride, 1, 2), images.ClassNames.Count);
        arguments.InvocationConfiguration.Output.WriteLine($"{spec}");
        var graph = ModelGraph.Of(ResidualGraph.Build(spec, images.Width, arguments.GetValue(TrainingRun.Seed)));
        TrainingRun.Run(arguments, graph, images, new TrainingOptions { LearningRate = arguments.GetValue(Rate) }, arguments.GetValue(Teacher), cancellationToken);
        return 0;
    }
}
