using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Inspection;

namespace Dunlin.Optimizer.Reporting;

/// <summary>All that a report tells, as <c>report.json</c> has it. Shares are 0…1, changes are against the reference.</summary>
/// <param name="Schema">Of this form.</param>
/// <param name="Data">Where the images came from, without private folders.</param>
/// <param name="ImageCount">Held-out images that could be read.</param>
/// <param name="Unreadable">The others.</param>
/// <param name="Limit">What a variant must hold to be recommended.</param>
/// <param name="WattsPerCore">What a busy core is taken to add: joules are CPU time × watts.</param>
/// <param name="Machine">Where it was measured.</param>
/// <param name="Variants">The reference first.</param>
/// <param name="Attention">Where the models look; null if it was not asked.</param>
/// <param name="Commands">That made the models and this report, in order.</param>
internal sealed record ReportContent(
    string Schema, string Data, int ImageCount, IReadOnlyList<UnreadableImage> Unreadable, string Limit, double WattsPerCore, ReportMachine Machine,
    IReadOnlyList<VariantReport> Variants, AttentionReport? Attention, IReadOnlyList<string> Commands)
{
    public const string CurrentSchema = "dunlin.report.v1";

    [JsonIgnore]
    public VariantReport Reference => Variants[0];

    /// <summary>What to take: fastest, smallest and thriftiest within the limit.</summary>
    public IReadOnlyList<Recommendation> Recommendations => Recommendation.Of(this);

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.ReportContent);
}

/// <summary>The computer on which everything was measured.</summary>
/// <param name="Cpu">Its model.</param>
/// <param name="Threads">That a session could use at most.</param>
/// <param name="Kernel">Of the operating system.</param>
/// <param name="OnnxRuntime">Its version.</param>
/// <param name="Date">When the report was made.</param>
internal sealed record ReportMachine(string Cpu, int Threads, string Kernel, string OnnxRuntime, DateTimeOffset Date);

/// <summary>One model.</summary>
/// <param name="Name">Of the file, without its ending.</param>
/// <param name="Techniques">What was done to it, in order.</param>
/// <param name="Evaluation">On the held-out images.</param>
/// <param name="Times">On one thread, then, where there are more, on all; measured in turns with all other models.</param>
/// <param name="Joules">Of one inference on one thread, estimated.</param>
/// <param name="Layers">As ONNX Runtime computes them.</param>
/// <param name="Attention">How far it looks where the reference looks; null for the reference, and if it was not asked.</param>
internal sealed record VariantReport(
    string Name, IReadOnlyList<Technique> Techniques, ModelReport Evaluation, IReadOnlyList<InferenceTime> Times, double Joules, LayerTable Layers, AttentionAgreement? Attention)
{
    /// <summary>The change of top-1 against the variant that it was made from, paired over the images; null for the reference.</summary>
    public Estimate? Top1AgainstBase { get; init; }

    /// <summary>Of one inference on one thread.</summary>
    [JsonIgnore]
    public double Milliseconds => Times[0].Milliseconds;

    [JsonIgnore]
    public double Top1 => Evaluation.Top1.Value;

    /// <summary>The reference has lost nothing, but may fail a limit of top-1 itself.</summary>
    public LimitAnswer Judge(AccuracyLimit limit) => Evaluation.AgainstReference is { } against
        ? limit.Judge(against.Top1Change, Evaluation.Top1, against.Agreement)
        : limit.Judge(new Estimate(0, 0, 0), Evaluation.Top1, new Estimate(1, 1, 1));
}

/// <summary>Where models look.</summary>
/// <param name="Method">How it was found.</param>
/// <param name="ImageCount">Held-out images whose heat maps were compared.</param>
/// <param name="Examples">Some of them.</param>
internal sealed record AttentionReport(string Method, int ImageCount, IReadOnlyList<AttentionExample> Examples);

/// <summary>One image with a heat map of each model, for the class that the reference answers.</summary>
/// <param name="Image">Its name.</param>
/// <param name="Class">What it is.</param>
/// <param name="Explained">What the reference answers.</param>
/// <param name="Picture">JPEG.</param>
/// <param name="Heats">By variant.</param>
internal sealed record AttentionExample(string Image, string Class, string Explained, [property: JsonIgnore] byte[] Picture, IReadOnlyList<ExampleHeat> Heats);

/// <summary>What one model made of an example.</summary>
/// <param name="Answer">Its answer.</param>
/// <param name="Correlation">Of its map with the reference's; null where one is flat.</param>
/// <param name="Picture">JPEG.</param>
internal sealed record ExampleHeat(string Answer, double? Correlation, [property: JsonIgnore] byte[] Picture);

/// <summary>How a variant's heat maps agree with the reference's.</summary>
/// <param name="Mean">Of Pearson's correlations.</param>
/// <param name="LowTenth">A tenth of the images lie below.</param>
/// <param name="ImageCount">Images on which neither map was flat.</param>
internal sealed record AttentionAgreement(double Mean, double LowTenth, int ImageCount);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ReportContent))]
internal sealed partial class ReportJson : JsonSerializerContext;
