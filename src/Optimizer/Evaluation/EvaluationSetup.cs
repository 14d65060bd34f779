using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What every verb that judges models begins with: the held-out images, the models, and which output stands for which class.</summary>
/// <param name="Path">Of the data.</param>
/// <param name="Data">All of it.</param>
/// <param name="Images">What may be judged by.</param>
/// <param name="Models">In the order of the command line.</param>
/// <param name="Labels">By output; null if classes and outputs have the same order.</param>
internal sealed record EvaluationSetup(string Path, DataListing Data, HeldOutImages Images, IReadOnlyList<EvaluatedModel> Models, IReadOnlyList<string>? Labels)
{
    private static readonly Option<int> Most = new("--images") { Description = "Use only so many held-out images, evenly spread.", DefaultValueFactory = _ => int.MaxValue };

    /// <summary>All options that decide it, for a command.</summary>
    public static IEnumerable<Option> Options => [SplitOption.File, Most, InputShapeOption.Shape, .. DataOption.All];

    /// <param name="arguments">Of a command with <see cref="Options"/>.</param>
    /// <param name="files">The models, the first of them with the labels beside it.</param>
    /// <exception cref="InvalidDataException">Models or data are not what they should be; the message says how.</exception>
    public static EvaluationSetup Of(ParseResult arguments, IReadOnlyList<FileInfo> files)
    {
        RequirePositive(arguments, Most);
        var path = arguments.GetValue(DataOption.Any)!;
        var data = DataListing.Open(path);
        var options = InputOptions.Of(arguments);
        var models = files.Select(f => EvaluatedModel.Load(f.FullName, InputShapeOption.Of(arguments), options)).ToList();
        var images = SplitOption.ForJudging(arguments, data, models.Select(m => (m.Path, m.Graph.Model))).Take(arguments.GetValue(Most));
        return new EvaluationSetup(path, data, images, models, DataOption.Labels(arguments, models[0].Path));
    }

    public ClassMap ClassesOf(EvaluatedModel model) => ClassMap.Of(Data, Labels, model.OutputCount);

    /// <exception cref="FormatException">A count is below 1.</exception>
    public static void RequirePositive(ParseResult arguments, params ReadOnlySpan<Option<int>> options)
    {
        foreach (var option in options)
            if (arguments.GetValue(option) < 1) throw new FormatException($"{option.Name} is {arguments.GetValue(option)}; it must be at least 1.");
    }
}
