using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Inspection;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Optimizer.Reporting;

/// <summary>How a report is measured.</summary>
/// <param name="Limit">What a variant must hold to be recommended.</param>
/// <param name="WattsPerCore">What a busy core is taken to add.</param>
/// <param name="RoundCount">Of timing.</param>
/// <param name="ExplainedCount">Images whose heat maps are compared; 0 for none.</param>
/// <param name="Threads">Images evaluated at once.</param>
/// <param name="UnreadableShare">Of the images, 0…1, that may be left out.</param>
internal sealed record ReportOptions(AccuracyLimit Limit, double WattsPerCore, int RoundCount, int ExplainedCount, int Threads, double UnreadableShare)
{
    public const int UsualExplainedCount = 60;

    /// <summary>For timing on each thread count.</summary>
    public TimeSpan TimingBudget { get; init; } = InterleavedLatency.Budget;

    public static ReportOptions Default { get; } = new(
        AccuracyLimit.Default, WattsOption.Usual, InterleavedLatency.RoundCount, UsualExplainedCount, Environment.ProcessorCount, ImageLimits.UnreadableShare);
}

/// <summary>Measures a reference and its variants side by side for a report.</summary>
internal static class Reporter
{
    /// <param name="setup">Held-out images and models, the reference first.</param>
    /// <param name="options">How.</param>
    /// <param name="command">The command line that asked for the report, to be shown after those that made the models.</param>
    /// <param name="progress">Told what is being done.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidDataException">Models that cannot be compared, or images that they may have seen.</exception>
    public static ReportContent Measure(EvaluationSetup setup, ReportOptions options, string command, Action<string> progress, CancellationToken cancellationToken)
    {
        RequireComparable(setup.Models);
        setup.RequireLikeInputs();
        var (models, classes) = (setup.Models, setup.ClassesOf(setup.Models[0]));
        progress($"evaluating {models.Count} models on {setup.Images.Samples.Count} held-out images");
        var answers = models.Select(m => HeldOutAnswers.Of(m, setup.Images, classes, options.Threads, options.UnreadableShare, cancellationToken)).ToList();
        return Measure(setup.Path, setup.Images, classes, models, answers, options, command, progress, cancellationToken);
    }

    /// <param name="data">Where the images came from.</param>
    /// <param name="images">That the models were judged by.</param>
    /// <param name="classes">Of the images.</param>
    /// <param name="models">The reference first.</param>
    /// <param name="answers">Of each model on the images.</param>
    /// <param name="options">How.</param>
    /// <param name="command">The command line that asked for the report.</param>
    /// <param name="progress">Told what is being done.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static ReportContent Measure(
        string data, HeldOutImages images, ClassMap classes, IReadOnlyList<EvaluatedModel> models, IReadOnlyList<HeldOutAnswers> answers,
        ReportOptions options, string command, Action<string> progress, CancellationToken cancellationToken)
    {
        progress("timing them in turns");
        var times = Times(models, classes.Names, options, cancellationToken);
        progress("looking at their layers");
        var layers = models.Select(m => LayerTable.Of(m.Graph)).ToList();
        if (options.ExplainedCount > 0) progress("comparing where they look");
        var (attention, agreements) = options.ExplainedCount > 0
            ? AttentionComparison.Of(models, images, classes, options.ExplainedCount, cancellationToken)
            : (null, (IReadOnlyList<AttentionAgreement?>)[.. models.Select(_ => (AttentionAgreement?)null)]);
        var names = Names(models);
        var variants = models.Select((m, i) => new VariantReport(names[i], Provenance.Of(m.Graph.Model), Evaluated(i), times[i], times[i][0].Joules(options.WattsPerCore), layers[i], agreements[i])).ToList();
        return new ReportContent(
            ReportContent.CurrentSchema, CommandLine.Shown(data), answers[0].Answers.Count, answers[0].Unreadable, options.Limit.ToString(), options.WattsPerCore, Machine(),
            [variants[0], .. variants.Skip(1).Select((v, i) => v with { Top1AgainstBase = AgainstBase(i + 1) })],
            attention, [.. models.SelectMany(m => Provenance.CommandsOf(m.Graph.Model)).Append(command).Distinct()]);

        Estimate AgainstBase(int i)
        {
            var from = variants.IndexOf(TechniqueSection.BaseOf(variants, variants[i]));
            return ClassAnalysis.Against(names[from], answers[from].Answers, answers[i].Answers).Top1Change;
        }

        ModelReport Evaluated(int i)
        {
            (string, IReadOnlyList<ImageAnswer>)? reference = i > 0 ? (Path.GetFileName(models[0].Path), answers[0].Answers) : null;
            var report = ModelReport.Of(models[i], answers[i].Answers, classes.Names, times[i][0].Milliseconds, top1OnFrames: null, reference);
            // A report is passed on; the folders of whoever made it are nobody's business.
            return report with { Model = Path.GetFileName(models[i].Path) };
        }
    }

    /// <exception cref="InvalidDataException">They do not take the same images for the same classes.</exception>
    private static void RequireComparable(IReadOnlyList<EvaluatedModel> models)
    {
        var reference = models[0];
        foreach (var model in models)
        {
            if (model.OutputCount != reference.OutputCount)
                throw new InvalidDataException($"'{model.Path}' tells {model.OutputCount} classes apart, the reference '{reference.Path}' {reference.OutputCount}; report only variants of one reference.");
            if ((model.Input.Width, model.Input.Height, model.Input.ChannelCount) != (reference.Input.Width, reference.Input.Height, reference.Input.ChannelCount))
                throw new InvalidDataException($"'{model.Path}' takes images of {Shown(model)}, the reference '{reference.Path}' of {Shown(reference)}; report only variants of one reference.");
        }

        static string Shown(EvaluatedModel m) => $"{m.Input.Width}×{m.Input.Height} pixels in {m.Input.ChannelCount} channels";
    }

    private static List<IReadOnlyList<InferenceTime>> Times(IReadOnlyList<EvaluatedModel> models, IReadOnlyList<string> labels, ReportOptions options, CancellationToken cancellationToken)
    {
        int[] threads = BoardFacts.Read().UsableCores is > 1 and var cores ? [1, cores] : [1];
        var sessions = models.SelectMany(m => threads.Select(t => m.Session(labels, t))).ToList();
        return [.. InterleavedLatency.Measure(sessions, options.RoundCount, options.TimingBudget * threads.Length, cancellationToken).Chunk(threads.Length)];
    }

    /// <summary>File names without their ending; with their folder where that is not enough to tell them apart.</summary>
    private static List<string> Names(IReadOnlyList<EvaluatedModel> models)
    {
        var names = models.Select(m => Path.GetFileNameWithoutExtension(m.Path)).ToList();
        return [.. models.Select((m, i) => names.Count(n => n == names[i]) == 1 ? names[i] : $"{Path.GetFileName(Path.GetDirectoryName(m.Path))}/{names[i]}")];
    }

    private static ReportMachine Machine()
    {
        var facts = BoardFacts.Read();
        return new ReportMachine(facts.CpuModel, facts.UsableCores, facts.Kernel, OnnxEnvironment.Instance.GetVersionString(), TimeProvider.System.GetUtcNow());
    }
}
