using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary><c>distil</c>: trains a graph that is there, usually a pruned one, to answer as its teacher does.</summary>
internal static class DistilCommand
{
    /// <summary>The peak for a network that has learnt already, if it bears it.</summary>
    public const double UsualRate = 0.05;

    private static readonly Argument<FileInfo> Student = new("student") { Description = "A float32 ONNX file." };
    private static readonly Option<FileInfo> Teacher = new("--teacher") { Description = "An ONNX classifier for the same images and classes: the model before pruning, or a bigger one.", Required = true };
    private static readonly Option<double?> Rate = new("--learning-rate") { Description = $"The peak of the one-cycle schedule. By default {UsualRate}, or as much less as a range test shows the student to bear." };

    public static Command Create()
    {
        var command = new Command("distil", "Trains a model to answer as its teacher does, so that what pruning cost comes back.")
        {
            Student, InputShapeOption.Shape, Teacher, Rate,
        };
        foreach (var option in TrainingRun.Options) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var options = TrainingRun.OptionsOf(arguments, Rate, UsualRate);
        var data = DataListing.Open(arguments.GetValue(DataOption.Any)!);
        var student = arguments.GetValue(Student)!.FullName;
        var graph = ModelGraph.Load(student, InputShapeOption.Of(arguments));
        var learning = LearningData.Of(arguments, data, graph, student, arguments.GetValue(TrainingRun.Out)!.FullName, arguments.InvocationConfiguration.Output);
        TrainingRun.Run(arguments, graph, learning, options, arguments.GetValue(Rate) is null, arguments.GetValue(Teacher), cancellationToken);
        return 0;
    }
}
