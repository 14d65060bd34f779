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
    private static readonly Option<int> Images = new("--images") { Description = "Training images for --importance taylor.", DefaultValueFactory = _ => 1024 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Prunes in so many rounds of the same share, which together remove the ratio, with --recover after each.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Recover = new("--recover") { Description = "Epochs that the model is trained after each round, on all training images, to answer as it did before.", DefaultValueFactory = _ => 0 };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write.", Required = true };

    public static Command Create()
    {
        Norm.AcceptOnlyFromAmong("l1", "l2", "taylor");
        Scope.AcceptOnlyFromAmong("global", "layer");
        var command = new Command("prune", "Removes the channels that matter least, through additions, concatenations, depthwise convolutions and all else that depends on them. Train afterwards, or with --recover on the way.")
        {
            Model, InputShapeOption.Shape, Ratio, Norm, Scope, StepOption.Step, Images, Rounds, Recover, TrainingRun.BFloat16, Out,
        };
        foreach (var option in LearningData.Options) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var ratio = arguments.GetValue(Ratio);
        if (ratio is not (> 0 and < 1)) throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"--ratio is {ratio}; it must be above 0 and below 1."));
        var givenStep = StepOption.Of(arguments);
        var graph = ModelGraph.Load(arguments.GetValue(Model)!.FullName, InputShapeOption.Of(arguments));
        var (rounds, epochs, imageCount) = (arguments.Checked(Rounds, 1, 100), arguments.Checked(Recover, 0, 10_000), arguments.AtLeast(Images, 1));
        if (rounds > 1 && epochs == 0) throw new FormatException($"--rounds {rounds} needs --recover: without training between them, rounds are as one.");
        if (arguments.GetValue(TrainingRun.BFloat16) && epochs == 0) throw new FormatException("--bfloat16 is for --recover; give that too, or leave it out.");
        var isTaylor = arguments.GetValue(Norm) == "taylor";
        var learning = isTaylor || epochs > 0 ? LearningOf(arguments, graph) : null;
        using var images = isTaylor ? learning!.Read(SplitPart.Train, imageCount, seed: 1, cancellationToken) : null;
        using var recovery = epochs == 0 ? null : new PruningRecovery(
            arguments, learning!, graph, arguments.GetValue(Model)!.FullName, arguments.GetValue(Out)!.FullName, epochs, cancellationToken);
        var step = givenStep ?? KernelSteps.OfThisCpu(Path.Combine(CacheFolder.Path, "kernels"), cancellationToken);
        var options = new PruningOptions(ratio, arguments.GetValue(Scope) == "layer" ? PruningScope.Layer : PruningScope.Global, step, rounds);
        var before = GraphFacts.Of(graph);
        var plans = new List<PruningPlan>();
        for (var round = 0; round < rounds; round++)
        {
            plans.Add(Pruner.Prune(graph, ImportanceOf(arguments, images, cancellationToken), options, plans.FirstOrDefault()));
            recovery?.Train(graph, round, cancellationToken);
        }

        var after = GraphFacts.Of(graph);
        Provenance.Add(graph.Model, Pruner.Technique(options, arguments.GetValue(Norm)!, 1 - (double)after.ParameterCount / before.ParameterCount));
        if (recovery is not null) Provenance.Add(graph.Model, recovery.Technique);
        Provenance.AddCommand(graph.Model, arguments);
        if (learning is not null) learning.Mark(graph.Model);
        else if (DataOption.Labels(arguments, arguments.GetValue(Model)!.FullName, graph.Model) is { } labels) LabelMark.Write(graph.Model, labels);
        ModelFile.Save(graph.Model, arguments.GetValue(Out)!.FullName);
        recovery?.Forget(rounds);

        var output = arguments.InvocationConfiguration.Output;
        PlainConsole.Write(Costs(before, after), output);
        foreach (var kept in plans[0].Kept) output.WriteLine($"{kept.Count} channels stay: {kept.Why}");
        output.WriteLine($"{arguments.GetValue(Out)!.FullName}: {plans.Sum(p => p.Groups.Sum(g => g.ChannelCount - g.KeptCount))} of {plans[0].Groups.Sum(g => g.ChannelCount)} channels removed in {(rounds == 1 ? $"{plans[0].Groups.Count(g => g.KeptCount < g.ChannelCount)} of {plans[0].Groups.Count} groups" : $"{rounds} rounds")}, widths in steps of {step}");
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
