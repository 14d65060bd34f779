using System.CommandLine;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Reporting;

/// <summary><c>report</c>: a page from which a person decides in a minute.</summary>
internal static class ReportCommand
{
    private static readonly Argument<FileInfo[]> Models = new("model") { Description = "The variants, ONNX files.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<FileInfo> Reference = new("--reference") { Description = "The ONNX file that they were made from.", Required = true };
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The folder to write: new, empty, or with an earlier report.", Required = true };
    private static readonly Option<string> Limit = new("--limit") { Description = "What a variant must hold to be recommended: top1>=-1.0pt, top1>=0.915 or agreement>=99.", DefaultValueFactory = _ => AccuracyLimit.Default.ToString() };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds of timing, in each of which every model has a turn.", DefaultValueFactory = _ => InterleavedLatency.RoundCount };
    private static readonly Option<int> Explained = new("--explained") { Description = "Images on which heat maps are compared; 0 for none.", DefaultValueFactory = _ => ReportOptions.UsualExplainedCount };

    public static Command Create()
    {
        var command = new Command("report", "Measures variants beside their reference, and writes report.html, report.md and report.json.") { Models, Reference, Out, Limit, WattsOption.Watts, Rounds, Explained };
        foreach (var option in EvaluationSetup.Options.Concat(HeldOutAnswers.Options)) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var rounds = arguments.AtLeast(Rounds, 1);
        var watts = WattsOption.Of(arguments);
        var explained = arguments.AtLeast(Explained, 0);
        var directory = arguments.GetValue(Out)!.FullName;
        ReportWriter.RequireOurs(directory);
        var (threads, unreadable) = HeldOutAnswers.Given(arguments);
        var options = new ReportOptions(AccuracyLimit.Parse(arguments.GetValue(Limit)!), watts, rounds, explained, threads, unreadable);
        var output = arguments.InvocationConfiguration.Output;
        var reference = arguments.GetValue(Reference)!;
        var setup = EvaluationSetup.Of(arguments, [reference, .. EvaluationSetup.Without(reference, arguments.GetValue(Models)!)]);
        var content = Reporter.Measure(setup, options, CommandLine.Of(arguments), output.WriteLine, cancellationToken);
        ReportWriter.Write(content, directory);
        foreach (var recommendation in content.Recommendations) output.WriteLine(recommendation.Sentence);
        output.WriteLine(Path.Combine(directory, "report.html"));
        return 0;
    }
}
