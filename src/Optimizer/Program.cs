using System.CommandLine;
using Dunlin.Optimizer;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Packing;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Training;

var probed = new Argument<string>("model");
var probe = new Command(MemoryProbe.CommandName) { probed };
probe.Hidden = true;
probe.SetAction(Failures.Reported((arguments, _) =>
{
    MemoryProbe.Run(arguments.GetValue(probed)!);
    return 0;
}));

var root = new RootCommand("Trains, shrinks, measures and packs ONNX image classifiers for Dunlin's devices.")
{
    TrainCommand.Create(), QuantizeCommand.Create(), EvaluateCommand.Create(), PackCommand.Create(), BeltCommand.Create(), probe,
};
return await root.Parse(args).InvokeAsync();
