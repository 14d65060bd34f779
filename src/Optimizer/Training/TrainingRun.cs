using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Spectre.Console;

namespace Dunlin.Optimizer.Training;

/// <summary>What <c>train</c> and <c>distil</c> share: the options of a run, its progress, and writing what came out.</summary>
internal static class TrainingRun
{
    public static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write; progress is kept beside it.", Required = true };
    public static readonly Option<int> Epochs = new("--epochs") { Description = "Passes over the training images.", DefaultValueFactory = _ => 10 };
    public static readonly Option<int> Limit = new("--limit") { Description = "Use only so many training images.", DefaultValueFactory = _ => int.MaxValue };
    public static readonly Option<int> Seed = new("--seed") { Description = "Another seed, another run.", DefaultValueFactory = _ => 1 };
    public static readonly Option<int> Threads = new("--threads") { Description = "Threads of torch.", DefaultValueFactory = _ => Environment.ProcessorCount };
    public static readonly Option<bool> BFloat16 = new("--bfloat16") { Description = "Compute in bfloat16: faster on CPUs with avx512_bf16 only." };

    /// <summary>The images that the command line names.</summary>
    public static LabelledImages Images(ParseResult arguments) =>
        FashionMnist.ReadTraining(arguments.GetValue(DataOption.Folder)!.FullName).Take(arguments.GetValue(Limit));

    /// <summary>Trains a graph as the command line says, and writes it.</summary>
    /// <param name="arguments">Of the command.</param>
    /// <param name="graph">Is changed.</param>
    /// <param name="images">To train on.</param>
    /// <param name="options">The command's own; seed, epochs and arithmetic are taken from its line.</param>
    /// <param name="teacher">An ONNX file to learn from, if any.</param>
    /// <param name="cancellationToken">Ends the run after a step; it goes on from its last whole epoch when started again.</param>
    public static void Run(ParseResult arguments, ModelGraph graph, LabelledImages images, TrainingOptions options, FileInfo? teacher, CancellationToken cancellationToken)
    {
        options = options with { EpochCount = Checked(arguments, Epochs, 1, 10_000), Seed = arguments.GetValue(Seed), UseBFloat16 = arguments.GetValue(BFloat16) };
        var path = arguments.GetValue(Out)!.FullName;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var model = teacher is null ? null : new OnnxTeacher(teacher.FullName, images.Width, images.Height, images.ClassNames.Count);
        var output = arguments.InvocationConfiguration.Output;
        output.WriteLine($"{images.Count} images, {options.EpochCount} epochs");
        var threads = Checked(arguments, Threads, 1, 1024);
        WithProgress(advanced => new Trainer(images, options, FashionMnist.PixelMean, 1 / FashionMnist.PixelDeviation)
        {
            Teacher = model,
            ThreadCount = threads,
            CheckpointPath = Path.ChangeExtension(path, ".checkpoint"),
            Advanced = advanced,
            EpochDone = e => output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"epoch {e.Epoch,3}  loss {e.Loss:f4}  training accuracy {e.Accuracy:p2}  {e.Duration.TotalSeconds:f0} s")),
        }.Run(graph, cancellationToken));

        if (model is not null) Provenance.Add(graph.Model, Distilled(teacher!.Name, model, options));
        Provenance.AddCommand(graph.Model, arguments);
        ModelFile.Save(graph.Model, path);
        var facts = GraphFacts.Of(graph);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {facts.ParameterCount} parameters, {facts.Macs / 1e6:f2} million multiply-accumulates"));
    }

    /// <exception cref="FormatException">The value is out of bounds.</exception>
    public static int Checked(ParseResult arguments, Option<int> option, int low, int high)
    {
        var value = arguments.GetValue(option);
        return value >= low && value <= high ? value : throw new FormatException($"{option.Name} is {value}; it must be from {low} to {high}.");
    }

    // A bar for a person; nothing for a log.
    private static void WithProgress(Action<Action<double>?> train)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive) train(null);
        else AnsiConsole.Progress().AutoClear(true).Start(bars =>
        {
            var bar = bars.AddTask("training", maxValue: 1);
            train(share => bar.Value = share);
        });
    }

    private static Technique Distilled(string name, OnnxTeacher teacher, TrainingOptions options) => new()
    {
        Kind = "distilled",
        Summary = $"distilled from {Path.GetFileNameWithoutExtension(name)}",
        Parameters = new Dictionary<string, string>
        {
            ["teacher"] = teacher.Name,
            ["temperature"] = options.Temperature.ToString(CultureInfo.InvariantCulture),
            ["teacherWeight"] = options.TeacherWeight.ToString(CultureInfo.InvariantCulture),
        },
    };
}
