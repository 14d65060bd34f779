using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary>What <c>train</c> and <c>distil</c> share: the options of a run, its progress, and writing what came out.</summary>
internal static class TrainingRun
{
    public static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write; progress is kept beside it.", Required = true };
    public static readonly Option<int> Epochs = new("--epochs") { Description = "Passes over the training images.", DefaultValueFactory = _ => 10 };
    public static readonly Option<int?> Batch = new("--batch-size") { Description = "Images at once; by default 128, or as many as 1 GiB of activations holds." };
    public static readonly Option<double> Temperature = new("--temperature") { Description = "Softens the answers of teacher and student, 1 or more.", DefaultValueFactory = _ => new TrainingOptions().Temperature };
    public static readonly Option<double> TeacherWeight = new("--teacher-weight") { Description = "The teacher's share against the labels, 0…1.", DefaultValueFactory = _ => new TrainingOptions().TeacherWeight };
    public static readonly Option<int> Views = new("--views") { Description = "Augmented views of each image that a teacher is asked for; epochs go through them in turn.", DefaultValueFactory = _ => new TrainingOptions().ViewCount };
    public static readonly Option<string> Augment = new("--augment") { Description = "What a view may change: flip, shift, soften, colour; all or none.", DefaultValueFactory = _ => "all" };
    public static readonly Option<int> Patience = new("--patience") { Description = "Stop after so many epochs without a lower loss on the search images, and take the weights of the best epoch; 0: take the last.", DefaultValueFactory = _ => 0 };
    public static readonly Option<int> Limit = new("--limit") { Description = "Use only so many training images.", DefaultValueFactory = _ => int.MaxValue };
    public static readonly Option<int> Seed = new("--seed") { Description = "Another seed, another run.", DefaultValueFactory = _ => 1 };
    public static readonly Option<int> Threads = new("--threads") { Description = "Threads of torch.", DefaultValueFactory = _ => Environment.ProcessorCount };
    public static readonly Option<bool> BFloat16 = new("--bfloat16") { Description = "Compute in bfloat16: faster on CPUs with avx512_bf16 only." };

    /// <summary>All of them, with those of the data.</summary>
    public static IEnumerable<Option> Options => [Out, Epochs, Batch, Temperature, TeacherWeight, Views, Augment, Patience, Limit, Seed, Threads, BFloat16, .. LearningData.Options];

    /// <summary>What the command line says of a run, before anything is read.</summary>
    /// <param name="arguments">Of the command.</param>
    /// <param name="rate">Its option for the peak of the learning rate.</param>
    /// <param name="usualRate">Where that is not given.</param>
    /// <exception cref="FormatException">A value is out of bounds.</exception>
    public static TrainingOptions OptionsOf(ParseResult arguments, Option<double?> rate, double usualRate) => new()
    {
        LearningRate = arguments.Checked(rate, 1e-7, 10) ?? usualRate,
        Temperature = arguments.Checked(Temperature, 1.0, 100),
        TeacherWeight = arguments.Checked(TeacherWeight, 0.0, 1),
        EpochCount = arguments.Checked(Epochs, 1, 10_000),
        BatchSize = arguments.Checked(Batch, 1, 4096) ?? new TrainingOptions().BatchSize,
        ViewCount = arguments.Checked(Views, 1, 1000),
        Augmentations = AugmentationsOf(arguments.GetValue(Augment)!),
        Patience = arguments.Checked(Patience, 0, 10_000),
        Seed = arguments.GetValue(Seed),
        UseBFloat16 = arguments.GetValue(BFloat16),
    };

    /// <summary>Trains a graph as the command line says, and writes it.</summary>
    /// <param name="arguments">Of the command.</param>
    /// <param name="graph">Is changed.</param>
    /// <param name="data">To learn from.</param>
    /// <param name="options">Of <see cref="OptionsOf"/>.</param>
    /// <param name="isRateMeasured">Whether the learning rate is only the usual one, and less is taken where the graph does not bear it.</param>
    /// <param name="teacher">An ONNX file to learn from, if any.</param>
    /// <param name="cancellationToken">Ends the run after a step; it goes on from its last checkpoint when started again.</param>
    public static void Run(ParseResult arguments, ModelGraph graph, LearningData data, TrainingOptions options, bool isRateMeasured, FileInfo? teacher, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(Batch) is null) options = options with { BatchSize = ActivationMemory.BatchSize(graph, options.BatchSize) };
        var (path, count, threads) = (arguments.GetValue(Out)!.FullName, arguments.AtLeast(Limit, 1), arguments.Checked(Threads, 1, 1024));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var model = teacher is null ? null : TeacherOf(arguments, teacher.FullName, data);
        using var images = data.Read(SplitPart.Train, count, options.Seed, cancellationToken);
        using var check = options.Patience == 0 ? null : data.Read(SplitPart.Search, int.MaxValue, options.Seed, cancellationToken);
        using var seen = model is null ? null : Seen(model, images, () => data.Read(model.Input, SplitPart.Train, count, options.Seed, cancellationToken));
        using var logits = model is null ? null : new TeacherLogits(model, seen!, options, threads, Path.GetDirectoryName(path));
        var output = arguments.InvocationConfiguration.Output;
        output.WriteLine($"{images.Count} images, {options.EpochCount} epochs of batches of {Math.Min(options.BatchSize, images.Count)}");
        if (isRateMeasured) options = WithRateThatIsBorne(options, new Trainer(images, options) { Teacher = logits, ThreadCount = threads }, graph, output, cancellationToken);

        var checkpoint = Path.ChangeExtension(path, ".checkpoint");
        try
        {
            Bars.Around(output, 1, bars =>
            {
                using var interrupted = bars.SayWhenInterrupted(arguments.InvocationConfiguration.Error, checkpoint, cancellationToken);
                return new Trainer(images, options)
                {
                    Teacher = logits,
                    Check = check,
                    ThreadCount = threads,
                    CheckpointPath = checkpoint,
                    KeptAside = line => bars.Say(line),
                    Advanced = share => bars.Show(0, "training", share),
                    EpochDone = e => bars.Say(Line(e)),
                }.Run(graph, cancellationToken);
            });
        }
        catch (DivergedException error)
        {
            throw new DivergedException($"{error.Message} Train with a lower --learning-rate.");
        }

        if (model is not null) Provenance.Add(graph.Model, Distilled(teacher!.Name, model, options));
        Provenance.AddCommand(graph.Model, arguments);
        data.Mark(graph.Model);
        ModelFile.Save(graph.Model, path);
        var facts = GraphFacts.Of(graph);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {facts.ParameterCount} parameters, {facts.Macs / 1e6:f2} million multiply-accumulates"));
    }

    /// <summary>With as much of the learning rate as the network bears, and says both.</summary>
    /// <param name="options">With the usual rate.</param>
    /// <param name="trainer">Trains as the recovery will.</param>
    /// <param name="graph">Is not changed.</param>
    /// <param name="said">A line or two.</param>
    /// <param name="cancellationToken">Ends the test.</param>
    public static TrainingOptions WithRateThatIsBorne(TrainingOptions options, Trainer trainer, ModelGraph graph, TextWriter said, CancellationToken cancellationToken)
    {
        if (RangeTest.IsNeeded(graph)) said.WriteLine($"without batch normalization: a range test of {RangeTest.StepCount} steps for the learning rate");
        options = options with { LearningRate = RangeTest.Peak(trainer, options.LearningRate, graph, cancellationToken) };
        said.WriteLine(string.Create(CultureInfo.InvariantCulture, $"learning rate {options.LearningRate:g2}"));
        return options;
    }

    /// <summary>A model to learn from, for images that are described on the command line.</summary>
    /// <exception cref="InvalidDataException">It has other classes, or was made with another split.</exception>
    public static OnnxTeacher TeacherOf(ParseResult arguments, string path, LearningData data)
    {
        var teacher = new OnnxTeacher(path, InputOptions.Of(arguments), data.Classes.Names.Count, data.Input);
        data.RequireSame(teacher.Model, path);
        if (teacher.IsGivenTheStudents)
            arguments.InvocationConfiguration.Error.WriteLine($"'{path}' does not say how it takes images; it is given them as its student is: {teacher.Input.Words()}");
        return teacher;
    }

    // What the teacher takes in another size or by another fit, it reads for itself.
    private static PixelSet Seen(OnnxTeacher teacher, PixelSet images, Func<PixelSet> read)
    {
        if (images.Fits(teacher.Input)) return images.As(teacher.Input);
        var seen = read();
        if (Enumerable.Range(0, seen.Count).Select(seen.Name).SequenceEqual(Enumerable.Range(0, images.Count).Select(images.Name))) return seen;
        seen.Dispose();
        throw new InvalidDataException($"Teacher and student cannot read the same images, {seen.Count} and {images.Count}; remove those that one of them cannot read.");
    }

    private static Augmentations AugmentationsOf(string text) => text.Split(',').Aggregate(Augmentations.None, (all, name) => all | name switch
    {
        "all" => Augmentations.All,
        "none" => Augmentations.None,
        "flip" => Augmentations.Flip,
        "shift" => Augmentations.Shift,
        "soften" => Augmentations.Soften,
        "colour" => Augmentations.Colour,
        _ => throw new FormatException($"--augment is '{text}'; write all, none, or some of flip, shift, soften and colour, with commas."),
    });

    /// <summary>What an epoch brought, in a line.</summary>
    public static string Line(EpochResult e) => string.Create(CultureInfo.InvariantCulture,
        $"epoch {e.Epoch,3}  loss {e.Loss:f4}  training accuracy {e.Accuracy:p2}{(e.Check is { } c ? $"  search loss {c.Loss:f4}  accuracy {c.Accuracy:p2}" : "")}  {e.Duration.TotalSeconds:f0} s");

    /// <summary>The step as a manifest tells it.</summary>
    public static Technique Distilled(string name, OnnxTeacher teacher, TrainingOptions options) => new()
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
