using System.CommandLine;
using System.Globalization;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Search;

/// <summary>Everything that a search is given, checked before anything is begun.</summary>
/// <param name="Path">Of the model, as it was given.</param>
/// <param name="Graph">The reference.</param>
/// <param name="InputOptions">How images become its input.</param>
/// <param name="UnreadableShare">Share, 0…1, of images that may be unreadable.</param>
/// <param name="Data">To learn from, to calibrate with and to choose by.</param>
/// <param name="HeldOut">To judge by in the end.</param>
/// <param name="Split">That cut the data into these.</param>
/// <param name="Work">The study's folder.</param>
/// <param name="Budget">Time, or steps.</param>
/// <param name="Limit">How accurate a variant must be.</param>
/// <param name="Objective">What is to be small.</param>
/// <param name="Target">The CPU that is quantized for.</param>
/// <param name="Seed">Another seed, another search.</param>
/// <param name="Step">Of widths; null: measured.</param>
/// <param name="Verdicts">Of the fleet's boards.</param>
/// <param name="MostVariants">That are chosen, if there is time to judge so many.</param>
/// <param name="WattsPerCore">What a busy core is taken to add.</param>
/// <param name="Recipe">What must not change from run to run.</param>
internal sealed record SearchSetup(
    string Path, ModelGraph Graph, InputOptions InputOptions, double UnreadableShare, LearningData Data, HeldOutImages HeldOut, DataSplit Split, string Work, Budget Budget,
    AccuracyLimit Limit, SearchObjective Objective, QuantizationTarget Target, int Seed, int? Step, IReadOnlyList<Verdict> Verdicts, int MostVariants, double WattsPerCore, StudyRecipe Recipe)
{
    /// <summary>Fewer say nothing of ranges or of accuracy.</summary>
    private const int FewestImages = 16;

    private const int LargestBatch = 128;

    /// <summary>The reference, its int8 form, and one that the search is for.</summary>
    public const int FewestVariants = 3;

    /// <summary>Narrower models that are there at once, each smaller than the reference, and as much again for checkpoints.</summary>
    private const int ModelsOnDisk = 32;

    private const long LogitsByteCount = 64L << 20;

    private static readonly Option<FileInfo?> WorkOption = new("--work") { Description = "The study's folder, where all that is done is kept; by default OUT.study." };
    public static readonly Argument<FileInfo> Model = new("model") { Description = "A float32 ONNX classifier." };
    private static readonly Option<string> BudgetOption = new("--budget") { Description = "The time that it may take, for example 30m or 1h30m; or training steps, for example 200steps, where the result must not depend on a clock.", DefaultValueFactory = _ => "30m" };
    private static readonly Option<string> LimitOption = new("--limit") { Description = "How accurate a variant must be: top1>=-1.0pt (points that may be lost), top1>=0.915 or agreement>=99 (percent).", DefaultValueFactory = _ => AccuracyLimit.Default.ToString() };
    private static readonly Option<string> ObjectiveOption = new("--objective") { Description = "What is to be small: latency, energy or size.", DefaultValueFactory = _ => "latency" };
    private static readonly Option<FileInfo[]> VerdictsOption = new("--verdicts") { Description = "What `dunlin-agent race --json` printed on boards of the fleet, or their retained messages on the topic race, so that what suits them is chosen.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int> VariantsOption = new("--variants") { Description = "At most so many variants, the reference and its int8 form among them.", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> SeedOption = new("--seed") { Description = "Another seed, another search.", DefaultValueFactory = _ => 1 };

    public static void AddTo(Command command)
    {
        ObjectiveOption.AcceptOnlyFromAmong([.. Enum.GetNames<SearchObjective>().Select(n => n.ToLowerInvariant())]);
        command.Add(Model);
        foreach (var option in (Option[])[BudgetOption, LimitOption, ObjectiveOption, VerdictsOption, VariantsOption, SeedOption, TargetOption.Target, StepOption.Step, WattsOption.Watts, WorkOption, InputShapeOption.Shape, .. LearningData.Options]) command.Add(option);
    }

    /// <param name="arguments">Of a command with these options.</param>
    /// <param name="result">The folder that the search is for; the study lies beside it.</param>
    /// <exception cref="InvalidDataException">Model, data or options are not what they should be; the message says how.</exception>
    public static SearchSetup Of(ParseResult arguments, string result)
    {
        var (budget, limit) = (Budget.Parse(arguments.GetValue(BudgetOption)!), AccuracyLimit.Parse(arguments.GetValue(LimitOption)!));
        var (step, variants) = (StepOption.Of(arguments), arguments.Checked(VariantsOption, FewestVariants, 64));
        var watts = WattsOption.Of(arguments);
        var verdicts = VerdictFiles.Read(arguments.GetValue(VerdictsOption) ?? []);
        var path = arguments.GetValue(Model)!.FullName;
        var graph = ModelGraph.Load(path, InputShapeOption.Of(arguments));
        if (ModelPrecision.FirstInteger(graph) is { } integer)
            throw new InvalidDataException($"{Nodes.Named(integer)}: the model is quantized already; give its float32 form.");

        var work = arguments.GetValue(WorkOption)?.FullName ?? result.TrimEnd('/') + ".study";
        SearchCommand.RequireOutside(result, WorkOption.Name, work);
        Study.RequireUsable(work);
        RequireDisk(work, new FileInfo(path).Length);
        var data = DataListing.Open(arguments.GetValue(DataOption.Any)!);
        SplitImages? images = null;
        var begun = Study.RecipeOf(work);
        var learning = LearningData.Of(arguments, data, graph, path, () => images = Begun(begun, SplitOf(arguments, data, path, graph, work), arguments.InvocationConfiguration.Output));
        foreach (var part in (SplitPart[])[SplitPart.Train, SplitPart.Calibration, SplitPart.Search])
            if (learning.CountOf(part) is < FewestImages and var there)
                throw new InvalidDataException($"The data has {there} {SplitShares.Word(part)} images; a search needs {FewestImages}. Give more images, or make a split with a larger share for them.");
        if (images!.HeldOut.Samples.Count == 0) throw new InvalidDataException("No image of the data is held out; make a split with a larger share for it.");

        var (seed, objective) = (arguments.GetValue(SeedOption), arguments.GetValue(ObjectiveOption)!);
        var target = TargetOption.Of(arguments);
        if (target.Doubt is { } doubt) arguments.InvocationConfiguration.Error.WriteLine(doubt);
        var recipe = new StudyRecipe(StudyRecipe.CurrentSchema, Digest.Of(File.ReadAllBytes(path)), images.Split.Id, new Dictionary<string, string>
        {
            ["--limit"] = limit.ToString(),
            ["--objective"] = objective,
            ["--seed"] = seed.ToString(CultureInfo.InvariantCulture),
            ["--step"] = step?.ToString(CultureInfo.InvariantCulture) ?? "measured",
            ["--target"] = target.Name,
            ["input"] = Words(learning.Input),
            ["labels"] = Digest.Of(Encoding.UTF8.GetBytes(string.Join('\n', learning.Classes.Names))).Hex[..12],
            ["budget in"] = budget.Time is null ? "steps" : "time",
        }, [.. images.Names]);
        return new SearchSetup(
            path, graph, InputOptions.Of(arguments), DataOption.UnreadableShare(arguments), learning, images.HeldOut, images.Split, work, budget, limit,
            Enum.Parse<SearchObjective>(objective, ignoreCase: true), target, seed, step, verdicts, variants, watts, recipe);
    }

    /// <summary>Images of a training step.</summary>
    public int BatchSize => ActivationMemory.BatchSize(Graph, LargestBatch);

    /// <summary>A file of the study, to be run.</summary>
    public EvaluatedModel Open(string path) => EvaluatedModel.Load(path, inputShape: null, InputOptions);

    // The one that the model was made with, where that is known; else the study's own.
    private static SplitImages SplitOf(ParseResult arguments, DataListing data, string model, ModelGraph graph, string work)
    {
        var beside = SplitOption.Beside(model);
        return arguments.GetValue(SplitOption.File) is null && HeldOutImages.MarkOf(graph.Model) is not null && File.Exists(beside)
            ? SplitFile.Load(beside).Apply(data)
            : SplitOption.ForLearning(arguments, data, System.IO.Path.Combine(work, "model.onnx"), arguments.InvocationConfiguration.Output);
    }

    // What came later would stand among images that were measured already.
    private static SplitImages Begun(StudyRecipe? study, SplitImages images, TextWriter said)
    {
        // Of another split: the recipe will be refused.
        if (study is null || study.Split != images.Split.Id) return images;
        var known = study.Images.ToHashSet();
        if (images.Names.Count(n => !known.Contains(n)) is > 0 and var later)
            said.WriteLine($"{later} images came after the study was begun, and it goes on without them; to use them, begin another with --work");
        return images.Only(known);
    }

    private static void RequireDisk(string work, long modelByteCount)
    {
        var there = System.IO.Path.GetFullPath(work);
        while (!Directory.Exists(there)) there = System.IO.Path.GetDirectoryName(there)!;
        var (needed, free) = (modelByteCount * ModelsOnDisk + LogitsByteCount, new DriveInfo(there).AvailableFreeSpace);
        if (free < needed)
            throw new IOException($"The study '{work}' needs about {needed >> 20} MiB, and the disk has {free >> 20} MiB left; make room, or name a folder on another disk with --work.");
    }

    private static string Words(InputSpec input) => string.Create(CultureInfo.InvariantCulture,
        $"{input.Width}×{input.Height} {input.Channels} {input.Layout} {input.Fit} {input.CropFraction} mean {string.Join(' ', input.Mean)} scale {string.Join(' ', input.Scale)}");
}
