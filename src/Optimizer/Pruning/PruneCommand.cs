using System.CommandLine;
using System.Globalization;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training;
using Spectre.Console;

namespace Dunlin.Optimizer.Pruning;

/// <summary><c>prune</c>: whole channels out of a float32 model.</summary>
internal static class PruneCommand
{
    private static readonly Argument<FileInfo> Model = new("model") { Description = "A float32 ONNX file." };
    private static readonly Option<double> Ratio = new("--ratio") { Description = "Share of the channels to remove, above 0 and below 1.", Required = true };
    private static readonly Option<string> Norm = new("--importance") { Description = "l1 or l2: the size of weights; taylor: what the loss on training images would change.", DefaultValueFactory = _ => "l2" };
    private static readonly Option<string> Scope = new("--scope") { Description = "global: one ranking of all channels; layer: the same share of each layer.", DefaultValueFactory = _ => "global" };
    private static readonly Option<int?> Step = new("--step") { Description = "Widths become multiples of it; 1 for any width. Measured on this CPU if not given." };
    private static readonly Option<int> Images = new("--images") { Description = "Training images for --importance taylor.", DefaultValueFactory = _ => 1024 };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write.", Required = true };

    public static Command Create()
    {
        Norm.AcceptOnlyFromAmong("l1", "l2", "taylor");
        Scope.AcceptOnlyFromAmong("global", "layer");
        var command = new Command("prune", "Removes the channels that matter least, through additions, concatenations, depthwise convolutions and all else that depends on them. Train afterwards.")
        {
            Model, InputShapeOption.Shape, Ratio, Norm, Scope, Step, Images, Out,
        };
        foreach (var option in LearningData.Options) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var ratio = arguments.GetValue(Ratio);
        if (ratio is not (> 0 and < 1)) throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"--ratio is {ratio}; it must be above 0 and below 1."));
        if (arguments.GetValue(Step) is < 1 or > 256) throw new FormatException($"--step is {arguments.GetValue(Step)}; it must be from 1 to 256.");
        var graph = ModelGraph.Load(arguments.GetValue(Model)!.FullName, InputShapeOption.Of(arguments));
        if (arguments.GetValue(Images) < 1) throw new FormatException($"--images is {arguments.GetValue(Images)}; it must be at least 1.");
        var learning = arguments.GetValue(Norm) == "taylor" ? LearningOf(arguments, graph) : null;
        using var images = learning?.Read(SplitPart.Train, arguments.GetValue(Images), seed: 1, cancellationToken);
        var step = arguments.GetValue(Step) ?? KernelSteps.OfThisCpu(Path.Combine(CacheFolder.Path, "kernels"), cancellationToken);
        var options = new PruningOptions(ratio, arguments.GetValue(Scope) == "layer" ? PruningScope.Layer : PruningScope.Global, step);
        var before = GraphFacts.Of(graph);
        var plan = Pruner.Prune(graph, ImportanceOf(arguments, images, cancellationToken), options);
        var after = GraphFacts.Of(graph);
        Provenance.Add(graph.Model, Pruner.Technique(options, arguments.GetValue(Norm)!, 1 - (double)after.ParameterCount / before.ParameterCount));
        Provenance.AddCommand(graph.Model, arguments);
        learning?.Mark(graph.Model);
        ModelFile.Save(graph.Model, arguments.GetValue(Out)!.FullName);

        var output = arguments.InvocationConfiguration.Output;
        PlainConsole.Write(Costs(before, after), output);
        foreach (var kept in plan.Kept) output.WriteLine($"{kept.Count} channels stay: {kept.Why}");
        output.WriteLine($"{arguments.GetValue(Out)!.FullName}: {plan.Groups.Sum(g => g.ChannelCount - g.KeptCount)} of {plan.Groups.Sum(g => g.ChannelCount)} channels removed in {plan.Groups.Count(g => g.KeptCount < g.ChannelCount)} of {plan.Groups.Count} groups, widths in steps of {step}");
        return 0;
    }

    private static LearningData LearningOf(ParseResult arguments, ModelGraph graph) => LearningData.Of(
        arguments, DataListing.Open(arguments.GetValue(DataOption.Any)!), graph, arguments.GetValue(Model)!.FullName, arguments.GetValue(Out)!.FullName, arguments.InvocationConfiguration.Output);

    private static Func<ChannelDependencies, Importance> ImportanceOf(ParseResult arguments, PixelSet? images, CancellationToken cancellationToken)
    {
        if (images is not null) return dependencies => TaylorImportance.Measure(dependencies, images, cancellationToken);
        return arguments.GetValue(Norm) == "l1" ? MagnitudeImportance.L1 : MagnitudeImportance.L2;
    }

    private static Table Costs(GraphFacts before, GraphFacts after)
    {
        var table = new Table().AddColumns("", "before", "after", "change");
        void Row(string name, long was, long becomes) => table.AddRow(
            name, $"{was}", $"{becomes}", was > 0 ? string.Create(CultureInfo.InvariantCulture, $"{100.0 * becomes / was - 100:f1} %") : "");
        Row("parameters", before.ParameterCount, after.ParameterCount);
        Row("MACs", before.Macs, after.Macs);
        Row("bytes", before.ByteCount, after.ByteCount);
        return table;
    }
}
