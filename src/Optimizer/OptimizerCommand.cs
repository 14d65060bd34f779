using System.CommandLine;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Explanation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Inspection;
using Dunlin.Optimizer.Packing;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Reporting;
using Dunlin.Optimizer.Search;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer;

/// <summary>The command line: one command per folder.</summary>
internal static class OptimizerCommand
{
    public static RootCommand Create()
    {
        var (model, shape) = (new Argument<string>("model"), new Argument<string>("shape"));
        var probe = new Command(ModelProbe.CommandName) { model, shape };
        probe.Hidden = true;
        probe.SetAction(Failures.Reported((arguments, _) =>
        {
            ModelProbe.Run(arguments.GetValue(model)!, ModelInput.ParseShape(arguments.GetValue(shape)!));
            return 0;
        }));
        return new RootCommand("Trains, shrinks, measures and packs ONNX image classifiers for Dunlin's devices.")
        {
            OptimizeCommand.Create(), SearchCommand.Create(), InspectCommand.Create(), PruneCommand.Create(), TrainCommand.Create(), DistilCommand.Create(), QuantizeCommand.Create(), SplitCommand.Create(), EvaluateCommand.Create(), ExplainCommand.Create(), ReportCommand.Create(), PackCommand.Create(), BeltCommand.Create(), probe,
        };
    }
}
