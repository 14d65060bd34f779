using Dunlin.Contracts.Artifacts;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary>The images of a data set by what they may be used for.</summary>
internal sealed class SplitImages
{
    private readonly ILookup<SplitPart, ImageSample> _parts;

    /// <param name="split">That says which part an image is of.</param>
    /// <param name="parts">Every image of the data.</param>
    public SplitImages(DataSplit split, ILookup<SplitPart, ImageSample> parts) => (Split, _parts) = (split, parts);

    /// <summary>That says which part an image is of.</summary>
    public DataSplit Split { get; }

    /// <summary>All images by name, the held-out ones too.</summary>
    public IEnumerable<string> Names => _parts.SelectMany(p => p).Select(s => s.Name);

    /// <summary>For reports; whoever learns from images has no way to get these.</summary>
    public HeldOutImages HeldOut => new([.. _parts[SplitPart.HeldOut]], Split.Id);

    /// <summary>Images to learn from, to calibrate with, or to choose by.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Held-out images were asked for.</exception>
    public IReadOnlyList<ImageSample> Of(SplitPart part) => part == SplitPart.HeldOut
        ? throw new ArgumentOutOfRangeException(nameof(part), part, "Held-out images are for evaluation only.")
        : [.. _parts[part]];

    /// <summary>Those of these names; each keeps its part.</summary>
    public SplitImages Only(IReadOnlySet<string> names) => new(
        Split, _parts.SelectMany(p => p.Where(s => names.Contains(s.Name)), (p, s) => (p.Key, s)).ToLookup(p => p.Key, p => p.s));

    /// <summary>Holds a model that learns further to the split that it was made with.</summary>
    /// <exception cref="InvalidDataException">It was made with another: what is held out now, it may have seen.</exception>
    public void RequireSame(ModelProto model, string name)
    {
        if (HeldOutImages.MarkOf(model) is { } mark && mark != Split.Id.ToString())
            throw new InvalidDataException($"'{name}' was made with the split {HeldOutImages.Short(mark)}, not with {HeldOutImages.Short(Split.Id.ToString())}; give the split that it was made with, with --split.");
    }

    /// <summary>Notes in a model that it was made with this split; <see cref="HeldOutImages.RequireUnseenBy"/> holds it to that.</summary>
    public void Mark(ModelProto model)
    {
        var entry = model.MetadataProps.FirstOrDefault(p => p.Key == HeldOutImages.MarkKey);
        if (entry is null) model.MetadataProps.Add(entry = new StringStringEntryProto { Key = HeldOutImages.MarkKey });
        entry.Value = Split.Id.ToString();
    }
}

/// <summary>Images that no model was trained, calibrated or chosen on: the only ones that a report is made of.</summary>
internal sealed class HeldOutImages
{
    /// <summary>Of the ONNX metadata that names the split.</summary>
    public const string MarkKey = "dunlin.split";

    private readonly Digest? _split;
    private readonly bool _isTestSet;

    internal HeldOutImages(IReadOnlyList<ImageSample> samples, Digest? split) =>
        (Samples, _split, _isTestSet) = (samples, split, samples.Count > 0 && samples.All(s => s.IsTest));

    public IReadOnlyList<ImageSample> Samples { get; }

    /// <summary>A whole data set that its owner keeps for evaluation; of one with a test set, that.</summary>
    public static HeldOutImages Whole(DataListing data)
    {
        var test = data.Samples.Where(s => s.IsTest).ToList();
        return new HeldOutImages(test.Count > 0 ? test : data.Samples, split: null);
    }

    /// <summary>At most so many of them, evenly spread, so that classes keep their shares.</summary>
    public HeldOutImages Take(int count) => count >= Samples.Count
        ? this
        : new HeldOutImages([.. Enumerable.Range(0, count).Select(i => Samples[(int)((long)i * Samples.Count / count)])], _split);

    /// <summary>The split that a model was made with; null if it tells of none.</summary>
    public static string? MarkOf(ModelProto model) => model.MetadataProps.FirstOrDefault(p => p.Key == MarkKey)?.Value;

    /// <summary>Holds a model to the split that it was made with.</summary>
    /// <exception cref="InvalidDataException">These images may be among those that it was made with.</exception>
    public void RequireUnseenBy(ModelProto model, string name)
    {
        var mark = MarkOf(model);
        if (mark is null || _isTestSet || mark == _split?.ToString()) return;
        throw new InvalidDataException(_split is null
            ? $"'{name}' was made with images of the split {Short(mark)}, which these may be; give that file with --split, so that only held-out images are used."
            : $"'{name}' was made with the split {Short(mark)}, not with {Short(_split.ToString()!)}; it may have seen these images. Give the split that it was made with.");
    }

    public static string Short(string digest) => digest[..Math.Min(digest.Length, 19)];
}
