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
    /// <param name="files">The models.</param>
    /// <exception cref="InvalidDataException">Models or data are not what they should be; the message says how.</exception>
    public static EvaluationSetup Of(ParseResult arguments, IReadOnlyList<FileInfo> files)
    {
        var most = arguments.AtLeast(Most, 1);
        var path = arguments.GetValue(DataOption.Any)!;
        var data = DataListing.Open(path);
        var options = InputOptions.Of(arguments);
        var models = files.Select(f => EvaluatedModel.Load(f.FullName, InputShapeOption.Of(arguments), options)).ToList();
        var images = SplitOption.ForJudging(arguments, data, models.Select(m => (m.Path, m.Graph.Model))).Take(most);
        var said = arguments.InvocationConfiguration.Error;
        return new EvaluationSetup(path, data, images, [.. models.Select(m => LikeThoseBeside(m, models, said))], LabelsOf(arguments, models));
    }

    /// <summary>Variants without their reference, which a pattern of file names mostly takes in.</summary>
    public static IEnumerable<FileInfo> Without(FileInfo? reference, IEnumerable<FileInfo> models) => models.Where(m => m.FullName != reference?.FullName);

    public ClassMap ClassesOf(EvaluatedModel model) => ClassMap.Of(Data, Labels, model.OutputCount);

    /// <summary>Holds all models to what one manifest, or one reference, says of images.</summary>
    /// <exception cref="InvalidDataException">Some take images in another way.</exception>
    public void RequireLikeInputs()
    {
        if (Models.FirstOrDefault(m => !m.Input.IsLike(Models[0].Input)) is { } other)
            throw new InvalidDataException($"'{other.Path}' takes images otherwise ({other.Input.Words()}) than '{Models[0].Path}' ({Models[0].Input.Words()}); variants of one model take them alike. Leave one out, or say what is right for all with --channels, --mean, --std, --fit and --crop-fraction.");
    }

    // What does not say how it takes images is mostly what the others were made of.
    private static EvaluatedModel LikeThoseBeside(EvaluatedModel model, IReadOnlyList<EvaluatedModel> all, TextWriter said)
    {
        if (InputMark.Of(model.Graph.Model) is not null) return model;
        var others = all.Where(m => InputMark.Of(m.Graph.Model) is not null && m.Input.CanBeLike(model.Input)).ToList();
        if (others.Count == 0) return model;
        var first = others[0];
        if (others.Find(m => !m.Input.IsLike(first.Input)) is { } other)
            throw new InvalidDataException($"'{model.Path}' does not say how it takes images, and '{first.Path}' ({first.Input.Words()}) and '{other.Path}' ({other.Input.Words()}) differ in it; judge it with one of them only.");
        if (!model.Input.IsLike(first.Input)) said.WriteLine($"'{model.Path}' does not say how it takes images; it is given them as '{first.Path}' is: {first.Input.Words()}");
        return model with { Input = model.Input.Like(first.Input) };
    }

    private static IReadOnlyList<string>? LabelsOf(ParseResult arguments, IReadOnlyList<EvaluatedModel> models)
    {
        var known = models.Select(m => (m.Path, Labels: DataOption.Labels(arguments, m.Path, m.Graph.Model))).Where(m => m.Labels is not null).ToList();
        if (known.Find(m => !m.Labels!.SequenceEqual(known[0].Labels!)) is { Path: { } other })
            throw new InvalidDataException($"The labels of '{other}' are not those of '{known[0].Path}'; say with --labels FILE what the outputs of all are called, or judge them apart.");
        return known.Count == 0 ? null : known[0].Labels;
    }
}
