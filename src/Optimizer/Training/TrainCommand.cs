using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary><c>train</c>: data set in, ONNX out.</summary>
internal static class TrainCommand
{
    private static readonly Option<string> Widths = new("--widths") { Description = "Channels per stage.", DefaultValueFactory = _ => "32,64,128" };
    private static readonly Option<string> Blocks = new("--blocks") { Description = "Residual blocks per stage: one number for all, or one each.", DefaultValueFactory = _ => "1" };
    private static readonly Option<bool> Bottlenecks = new("--bottlenecks") { Description = "Blocks of 1×1, 3×3 and 1×1, with four times the channels outside: ResNet-50 is --widths 64,128,256,512 --blocks 3,4,6,3 --bottlenecks." };
    private static readonly Option<int> StemStride = new("--stem-stride") { Description = "1, or 2 to halve the image at once.", DefaultValueFactory = _ => 2 };
    private static readonly Option<FileInfo?> Teacher = new("--teacher") { Description = "An ONNX classifier to distil from." };
    private static readonly Option<double> Rate = new("--learning-rate") { Description = "The peak of the one-cycle schedule.", DefaultValueFactory = _ => 0.1 };

    public static Command Create()
    {
        var command = new Command("train", "Trains a residual network on Fashion-MNIST, alone or distilled, and writes it as ONNX.")
        {
            DataOption.Folder, TrainingRun.Out, Widths, Blocks, Bottlenecks, StemStride, TrainingRun.Epochs, Teacher, Rate, TrainingRun.Limit, TrainingRun.Seed, TrainingRun.Threads, TrainingRun.BFloat16,
        };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var images = TrainingRun.Images(arguments);
        var widths = ResidualSpec.ParseStages(arguments.GetValue(Widths)!);
        var spec = new ResidualSpec(widths, BlocksOf(arguments, widths.Count), TrainingRun.Checked(arguments, StemStride, 1, 2), images.ClassNames.Count)
        {
            HasBottlenecks = arguments.GetValue(Bottlenecks),
        };
        arguments.InvocationConfiguration.Output.WriteLine($"{spec}");
        var graph = ModelGraph.Of(ResidualGraph.Build(spec, images.Width, arguments.GetValue(TrainingRun.Seed)));
        TrainingRun.Run(arguments, graph, images, new TrainingOptions { LearningRate = arguments.GetValue(Rate) }, arguments.GetValue(Teacher), cancellationToken);
        return 0;
    }

    private static IReadOnlyList<int> BlocksOf(ParseResult arguments, int stageCount)
    {
        var blocks = ResidualSpec.ParseStages(arguments.GetValue(Blocks)!);
        if (blocks.Count == 1) return [.. Enumerable.Repeat(blocks[0], stageCount)];
        return blocks.Count == stageCount ? blocks : throw new FormatException($"--blocks names {blocks.Count} stages and --widths {stageCount}; name one number, or one for each stage.");
    }
}
