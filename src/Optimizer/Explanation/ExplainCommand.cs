using System.CommandLine;
using System.Globalization;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Runtime.Frames;

namespace Dunlin.Optimizer.Explanation;

/// <summary><c>explain</c>: where a model looks, over one image.</summary>
internal static class ExplainCommand
{
    /// <summary>Smaller pictures are enlarged, larger ones shrunk.</summary>
    private const int SmallestSide = 320, LargestSide = 1280;

    private static readonly Argument<string> Image = new("image") { Description = "A JPEG or PNG file, or the name of an image within --data (test/000007)." };
    private static readonly Option<FileInfo> Variant = new("--variant") { Description = "The ONNX file.", Required = true };
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The PNG file to write.", DefaultValueFactory = _ => new FileInfo("heat.png") };
    private static readonly Option<string?> Class = new("--class") { Description = "The class to explain, by number or name; by default the one that the model answers." };

    public static Command Create()
    {
        var command = new Command("explain", "Draws a heat map over an image: where the model looks for a class.")
        {
            Image, Variant, Out, Class, DataOption.Any, DataOption.LabelsFile, InputShapeOption.Shape,
        };
        foreach (var option in InputOptions.All) command.Add(option);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var name = arguments.GetValue(Image)!;
        var isFile = File.Exists(name);
        // Defaults of a data set are for its images; a file of its own is one of them only if that is said.
        var data = isFile && arguments.GetResult(DataOption.Any) is null or { Implicit: true } ? null : DataListing.Open(arguments.GetValue(DataOption.Any)!);
        var sample = isFile ? new FileSample(name, "", name) : Named(data!, name, arguments.GetValue(DataOption.Any)!);
        var options = InputOptions.Of(arguments);
        var model = EvaluatedModel.Load(arguments.GetValue(Variant)!.FullName, InputShapeOption.Of(arguments), options with { AreGarments = options.AreGarments && data is not null });
        var labels = LabelsOf(arguments, model, data);

        var frame = new FrameBuffer();
        using var explainer = Explainer.Of(model, labels);
        float[] tensor = [];
        if ((sample.Read(frame) ?? explainer.Read(frame, out tensor)) is { } why) throw new InvalidDataException($"'{name}' cannot be read: {why}. Give a JPEG or PNG image.");
        var explanation = explainer.Explain(tensor, arguments.GetValue(Class) is { } wanted ? Place(wanted, labels) : null);
        var path = arguments.GetValue(Out)!.FullName;
        Save(path, frame, model, explanation.Heat);
        Tell(arguments.InvocationConfiguration.Output, explainer, explanation, labels, path);
        return 0;
    }

    private static ImageSample Named(DataListing data, string name, string path) => data.Samples.FirstOrDefault(s => s.Name == name)
        ?? throw new FileNotFoundException($"There is no image '{name}', neither as a file nor in '{path}', whose first is '{data.Samples[0].Name}'; give a file, or a name as in the data.", name);

    private static IReadOnlyList<string> LabelsOf(ParseResult arguments, EvaluatedModel model, DataListing? data)
    {
        var labels = DataOption.Labels(arguments, model.Path, model.Graph.Model);
        if (data is not null) return ClassMap.Of(data, labels, model.OutputCount).Names;
        if (labels is not null && labels.Count != model.OutputCount)
            throw new InvalidDataException($"There are {labels.Count} labels, but the model has {model.OutputCount} outputs; give one line for each output.");
        return labels ?? [.. Enumerable.Range(0, model.OutputCount).Select(i => i.ToString(CultureInfo.InvariantCulture))];
    }

    private static int Place(string wanted, IReadOnlyList<string> labels)
    {
        for (var i = 0; i < labels.Count; i++)
            if (labels[i] == wanted) return i;
        return int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < labels.Count
            ? number
            : throw new FormatException($"--class is '{wanted}'; it must be a number from 0 to {labels.Count - 1}, or one of the labels, the first of which is '{labels[0]}'.");
    }

    private static void Save(string path, FrameBuffer frame, EvaluatedModel model, HeatMap heat)
    {
        using var picture = HeatOverlay.Draw(frame, model.Input, heat, SmallestSide, LargestSide);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, HeatOverlay.Png(picture));
    }

    private static void Tell(TextWriter output, Explainer explainer, Explanation explanation, IReadOnlyList<string> labels, string path)
    {
        output.WriteLine($"by {explainer.Method}, {explanation.Heat.Width}×{explanation.Heat.Height} cells");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"class {explanation.Class} ({explanation.ClassName}), probability {explanation.Probability:p2}; the model answers {explanation.Answer} ({labels[explanation.Answer]})"));
        output.WriteLine(path);
    }
}
