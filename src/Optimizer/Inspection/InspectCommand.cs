using System.CommandLine;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Inspection;

/// <summary><c>inspect</c>: what a model is made of, what it costs, and what could be pruned.</summary>
internal static class InspectCommand
{
    private static readonly Argument<FileInfo> Model = new("model") { Description = "An ONNX file." };
    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON instead of tables." };

    public static Command Create()
    {
        var command = new Command("inspect", "Shows a model's layers, costs and prunable channels.") { Model, InputShapeOption.Shape, Json };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var graph = ModelGraph.Load(arguments.GetValue(Model)!.FullName, InputShapeOption.Of(arguments));
        var inspection = ModelInspection.Of(graph);
        var output = arguments.InvocationConfiguration.Output;
        if (arguments.GetValue(Json)) output.WriteLine(inspection.ToJson());
        else InspectionTables.Write(inspection, output);
        return 0;
    }
}
