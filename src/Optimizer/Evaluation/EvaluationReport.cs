using System.Text.Json.Serialization;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What an evaluation found, as <c>--json</c> writes it. Shares are 0…1.</summary>
/// <param name="Data">Where the images came from.</param>
/// <param name="ImageCount">Held-out images that could be read.</param>
/// <param name="Unreadable">The others.</param>
/// <param name="Models">The reference first, if there is one.</param>
internal sealed record EvaluationReport(string Data, int ImageCount, IReadOnlyList<UnreadableImage> Unreadable, IReadOnlyList<ModelReport> Models);

/// <summary>One model on held-out images.</summary>
/// <param name="Model">The file.</param>
/// <param name="Top1">With Wilson's interval.</param>
/// <param name="Top5">With Wilson's interval.</param>
/// <param name="CalibrationError">Expected, over 15 bins.</param>
/// <param name="ParameterCount">Weights and biases.</param>
/// <param name="Macs">Multiply-accumulate operations per image.</param>
/// <param name="ByteCount">Of the file.</param>
/// <param name="Milliseconds">Median of an inference on one thread.</param>
/// <param name="Top1OnFrames">On rendered camera frames, if some were asked for.</param>
/// <param name="Classes">By output; only those that have images.</param>
/// <param name="Confusions">All that happened, the most frequent first.</param>
/// <param name="AgainstReference">Null for the reference.</param>
internal sealed record ModelReport(
    string Model, Estimate Top1, Estimate Top5, double CalibrationError, long ParameterCount, long Macs, long ByteCount, double Milliseconds, Estimate? Top1OnFrames,
    IReadOnlyList<ClassReport> Classes, IReadOnlyList<Confusion> Confusions, ReferenceReport? AgainstReference)
{
    /// <param name="model">The file and its graph.</param>
    /// <param name="answers">On the held-out images.</param>
    /// <param name="classNames">By output.</param>
    /// <param name="milliseconds">Of an inference on one thread.</param>
    /// <param name="top1OnFrames">If frames were rendered.</param>
    /// <param name="reference">Its file and what it answered on the same images.</param>
    public static ModelReport Of(
        EvaluatedModel model, IReadOnlyList<ImageAnswer> answers, IReadOnlyList<string> classNames, double milliseconds, Estimate? top1OnFrames,
        (string Path, IReadOnlyList<ImageAnswer> Answers)? reference)
    {
        var counts = new ModelAnswers(answers);
        var facts = GraphFacts.Of(model.Graph);
        return new ModelReport(
            model.Path, Estimate.Of(counts.CorrectCount, answers.Count), Estimate.Of(counts.AmongFiveCount, answers.Count), Evaluation.CalibrationError.Of(answers),
            facts.ParameterCount, facts.Macs, new FileInfo(model.Path).Length, milliseconds, top1OnFrames,
            ClassAnalysis.Classes(answers, reference?.Answers, classNames), ClassAnalysis.Confusions(answers, classNames),
            reference is { } r ? ClassAnalysis.Against(r.Path, r.Answers, answers) : null);
    }
}

/// <summary>One class.</summary>
/// <param name="Name">As the labels or the data call it.</param>
/// <param name="ImageCount">Of this class.</param>
/// <param name="Accuracy">Share of them that is right.</param>
/// <param name="Change">Against the reference, by paired bootstrap: −0.02 is two points lost.</param>
internal sealed record ClassReport(string Name, int ImageCount, Estimate Accuracy, Estimate? Change);

/// <summary>One cell of the confusion matrix beside its diagonal.</summary>
/// <param name="Class">What it was.</param>
/// <param name="TakenFor">What the model said.</param>
/// <param name="Count">Images.</param>
/// <param name="Share">Of the class's images.</param>
internal sealed record Confusion(string Class, string TakenFor, int Count, double Share);

/// <summary>How a model differs from the reference on the same images.</summary>
/// <param name="Reference">The file.</param>
/// <param name="Top1Change">By paired bootstrap: −0.01 is one point lost.</param>
/// <param name="Agreement">Share of images on which both say the same, right or wrong.</param>
internal sealed record ReferenceReport(string Reference, Estimate Top1Change, Estimate Agreement);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(EvaluationReport))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
