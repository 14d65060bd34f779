using System.Text.RegularExpressions;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Manifests;

/// <summary>What must hold in a manifest beyond its types; the schema in docs/schemas says the same where JSON Schema can.</summary>
internal static partial class ManifestRules
{
    internal const int MaximumVariantCount = 64;
    internal const long MaximumLabelsByteCount = 1024 * 1024;
    internal const int MaximumPixels = 4096;

    internal static void Check(Manifest m, Findings f)
    {
        f.Schema("$.schema", m.Schema, Manifest.CurrentSchema);
        Check(new ReleaseName(m.Name, m.Version, m.Label), f);
        f.Between("$.securityEpoch", m.SecurityEpoch, 0, int.MaxValue, "");
        f.Require(Version().IsMatch(m.MinAgent), "$.minAgent", m.MinAgent, "must be three numbers like 0.1.0", "name the oldest agent that can run this");
        f.Require(m.Task == Manifest.ImageClassification, "$.task", m.Task, $"must be '{Manifest.ImageClassification}'", "other tasks need a newer agent");
        Input(m.Input, f);
        f.Text("$.output.tensor", m.Output.Tensor, 256);
        f.Require(Enum.IsDefined(m.Output.Activation), "$.output.activation", m.Output.Activation, "must be none, softmax or sigmoid", "correct the value");
        f.Blob("$.labels", m.Labels, MaximumLabelsByteCount);
        f.Blob("$.golden.blob", m.Golden.Blob, GoldenSpec.MaximumByteCount);
        f.Between("$.golden.sampleCount", m.Golden.SampleCount, GoldenSpec.MinimumSampleCount, int.MaxValue, "images");
        f.Share("$.accuracyFloor", m.AccuracyFloor);
        if (f.Items("$.variants", m.Variants, 1, MaximumVariantCount)) Variants(m, f);
    }

    internal static void Check(ReleaseName r, Findings f)
    {
        f.Name("$.name", r.Name);
        f.Between("$.version", r.Version, 1, int.MaxValue, "");
        f.Text("$.label", r.Label, 64);
    }

    private static void Input(InputSpec i, Findings f)
    {
        f.Text("$.input.tensor", i.Tensor, 256);
        f.Require(Enum.IsDefined(i.Layout), "$.input.layout", i.Layout, "must be nchw or nhwc", "correct the value");
        f.Require(Enum.IsDefined(i.Channels), "$.input.channels", i.Channels, "must be rgb, bgr or gray", "correct the value");
        f.Require(Enum.IsDefined(i.ElementType), "$.input.elementType", i.ElementType, "must be float32 or uint8", "correct the value");
        f.Require(Enum.IsDefined(i.Fit), "$.input.fit", i.Fit, "must be stretch, centerCrop or letterbox", "correct the value");
        f.Require(Enum.IsDefined(i.Interpolation), "$.input.interpolation", i.Interpolation, "must be bilinear or area", "correct the value");
        f.Between("$.input.width", i.Width, 1, MaximumPixels, "pixels");
        f.Between("$.input.height", i.Height, 1, MaximumPixels, "pixels");
        f.Require(i.CropFraction is null or (> 0 and <= 1), "$.input.cropFraction", i.CropFraction, "must be above 0 and at most 1", "write a share, not a percentage");
        f.Require(i.Fit == FitMode.CenterCrop || i.CropFraction is null or 1, "$.input.cropFraction", i.CropFraction, "must be 1 unless fit is centerCrop", "leave it out, or crop");
        PerChannel("$.input.mean", i.Mean, i.ChannelCount, static _ => true, "must be finite", f);
        PerChannel("$.input.scale", i.Scale, i.ChannelCount, static s => s != 0, "must be finite and not 0", f);
        if (i.RegionOfInterest is { } r) Region(r, f);
    }

    private static void PerChannel(string path, IReadOnlyList<float> values, int channels, Func<float, bool> holds, string rule, Findings f)
    {
        f.Require(values.Count == channels, path, new ItemCount(values.Count), $"must have {channels} items, one per channel", "write one number per channel");
        for (var i = 0; i < values.Count; i++)
            f.Require(float.IsFinite(values[i]) && holds(values[i]), $"{path}[{i}]", values[i], rule, "correct the value");
    }

    private static void Region(RegionOfInterest r, Findings f)
    {
        const string path = "$.input.regionOfInterest";
        f.Share($"{path}.x", r.X);
        f.Share($"{path}.y", r.Y);
        f.Require(r.Width > 0 && r.X + r.Width <= 1, $"{path}.width", r.Width, "must be above 0 with x + width at most 1", "keep the region inside the frame");
        f.Require(r.Height > 0 && r.Y + r.Height <= 1, $"{path}.height", r.Height, "must be above 0 with y + height at most 1", "keep the region inside the frame");
    }

    private static void Variants(Manifest m, Findings f)
    {
        var ids = new HashSet<string>();
        var digests = new HashSet<Artifacts.Digest>();
        for (var i = 0; i < m.Variants.Count; i++)
        {
            var v = m.Variants[i];
            var path = $"$.variants[{i}]";
            VariantRules.Check(path, v, f);
            f.Require(ids.Add(v.Id), $"{path}.id", v.Id, "must be unique in the manifest", "rename one");
            f.Require(digests.Add(v.Blob.Digest), $"{path}.blob.digest", v.Blob.Digest, "must be another file than the other variants'", "remove the copy");
        }
        var best = m.Variants.Max(v => v.Accuracy.Top1);
        f.Require(!(best < m.AccuracyFloor), "$.accuracyFloor", m.AccuracyFloor, FormattableString.Invariant($"must be reached by a variant, and the best has {best}"), "lower the floor or add a better variant");
    }

    [GeneratedRegex(@"\A(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\z")]
    private static partial Regex Version();
}
