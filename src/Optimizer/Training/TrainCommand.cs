using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary><c>train</c>: data set in, ONNX out.</summary>
internal static class TrainCommand
{
    /// <summary>The peak for random weights.</summary>
    private const double FreshRate = 0.1;

    private static readonly Option<string> Widths = new("--widths") { Description = "Channels per stage.", DefaultValueFactory = _ => "32,64,128" };
    private static readonly Option<string> Blocks = new("--blocks") { Description = "Residual blocks per stage: one number for all, or one each.", DefaultValueFactory = _ => "1" };
    private static readonly Option<bool> Bottlenecks = new("--bottlenecks") { Description = "Blocks of 1×1, 3×3 and 1×1, with four times the channels outside: ResNet-50 is --widths 64,128,256,512 --blocks 3,4,6,3 --bottlenecks." };
    private static readonly Option<int> StemStride = new("--stem-stride") { Description = "1, or 2 to halve the image at once.", DefaultValueFactory = _ => 2 };
    private static readonly Option<FileInfo?> Like = new("--like") { Description = "An ONNX file whose layers are trained from random weights, in place of a residual network: for example a pruned one, to see what its weights were worth." };
    private static readonly Option<FileInfo?> From = new("--from") { Description = "An ONNX file that is trained further, in place of a residual network from random weights; with another --seed." };
    private static readonly Option<FileInfo?> Teacher = new("--teacher") { Description = "An ONNX classifier to distil from." };
    private static readonly Option<double?> Rate = new("--learning-rate") { Description = $"The peak of the one-cycle schedule. By default {FreshRate}; with --from {DistilCommand.UsualRate}, or as much less as a range test shows the network to bear." };

    public static Command Create()
    {
        var command = new Command("train", "Trains a residual network on images, alone or distilled, and writes it as ONNX.")
        {
            InputShapeOption.Shape, Widths, Blocks, Bottlenecks, StemStride, Like, From, Teacher, Rate,
        };
        foreach (var option in TrainingRun.Options) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var isFresh = arguments.GetValue(From) is null;
        RequireTeacherFor(arguments);
        var options = TrainingRun.OptionsOf(arguments, Rate, isFresh ? FreshRate : DistilCommand.UsualRate);
        var data = DataListing.Open(arguments.GetValue(DataOption.Any)!);
        var model = (arguments.GetValue(Like) ?? arguments.GetValue(From))?.FullName;
        var graph = model is null ? Residual(arguments, data, options.Seed) : Given(arguments, model, options.Seed);
        var learning = LearningData.Of(arguments, data, graph, model, arguments.GetValue(TrainingRun.Out)!.FullName, arguments.InvocationConfiguration.Output);
        TrainingRun.Run(arguments, graph, learning, options, !isFresh && arguments.GetValue(Rate) is null, arguments.GetValue(Teacher), cancellationToken);
        return 0;
    }

    private static ModelGraph Residual(ParseResult arguments, DataListing data, int seed)
    {
        var widths = ResidualSpec.ParseStages(arguments.GetValue(Widths)!);
        var (blocks, stride) = (BlocksOf(arguments, widths.Count), arguments.Checked(StemStride, 1, 2));
        var spec = new ResidualSpec(widths, blocks, stride, ClassMap.OutputCount(data, DataOption.Labels(arguments, path: null, model: null)))
        {
            HasBottlenecks = arguments.GetValue(Bottlenecks),
        };
        arguments.InvocationConfiguration.Output.WriteLine($"{spec}");
        return ModelGraph.Of(ResidualGraph.Build(spec, ShapeOf(arguments, data), seed));
    }

    private static ModelGraph Given(ParseResult arguments, string model, int seed)
    {
        var layers = new Option[] { Like, From, Widths, Blocks, Bottlenecks, StemStride }.Where(o => arguments.GetResult(o) is { Implicit: false }).ToList();
        if (layers.Count > 1) throw new FormatException($"{layers[0].Name} says which layers are trained, and so does {layers[1].Name}; give one of them.");
        var graph = ModelGraph.Load(model, InputShapeOption.Of(arguments));
        if (arguments.GetValue(Like) is null) return graph;
        Provenance.Forget(graph.Model);
        FreshWeights.Draw(graph.Model.Graph, seed);
        graph.Changed();
        return graph;
    }

    private static void RequireTeacherFor(ParseResult arguments)
    {
        if (arguments.GetValue(Teacher) is not null) return;
        var options = new Option[] { TrainingRun.TeacherWeight, TrainingRun.Temperature, TrainingRun.Views };
        if (options.FirstOrDefault(o => arguments.GetResult(o) is { Implicit: false }) is { } idle) throw new FormatException($"{idle.Name} is for a teacher, and there is none; name one with --teacher, or leave it out.");
    }

    /// <summary>As given, or as the images of an IDX file are.</summary>
    private static IReadOnlyList<long> ShapeOf(ParseResult arguments, DataListing data) => InputShapeOption.Of(arguments) switch
    {
        [1, 1 or 3, _, _] and var given => given,
        { } given => throw new FormatException($"--input-shape is {string.Join('x', given)}; a network is trained for one image of one or three channels, for example 1x3x64x64."),
        null when data.Samples[0] is MemorySample { Images: var images } => [1, 1, images.Height, images.Width],
        null => throw new FormatException("The images may be of any size; say with --input-shape what the network shall take, for example 1x3x64x64."),
    };

    private static IReadOnlyList<int> BlocksOf(ParseResult arguments, int stageCount)
    {
        var blocks = ResidualSpec.ParseStages(arguments.GetValue(Blocks)!);
        if (blocks.Count == 1) return [.. Enumerable.Repeat(blocks[0], stageCount)];
        return blocks.Count == stageCount ? blocks : throw new FormatException($"--blocks names {blocks.Count} stages and --widths {stageCount}; name one number, or one for each stage.");
    }
}
