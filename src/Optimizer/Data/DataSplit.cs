using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Data;

/// <summary>What images are used for; no image is used for two things.</summary>
internal enum SplitPart
{
    /// <summary>Weights are learnt from them.</summary>
    Train = 1,

    /// <summary>Ranges of activations are measured on them.</summary>
    Calibration = 2,

    /// <summary>Variants are chosen by them.</summary>
    Search = 3,

    /// <summary>What is published is measured on them, and nothing else is done with them.</summary>
    HeldOut = 4,
}

/// <summary>How large the parts are, in any unit.</summary>
internal sealed record SplitShares(double Train, double Calibration, double Search, double HeldOut)
{
    public static SplitShares Default { get; } = new(60, 10, 10, 20);

    /// <summary>Where the authors hold out a test set, which such sets have that are large: a few thousand images calibrate and choose.</summary>
    public static SplitShares BesideTestSet { get; } = new(90, 4, 6, 0);

    /// <summary>The most that is held out for the sake of a bundle's golden set.</summary>
    private const double MostHeldOut = 55;

    public static SplitShares For(DataListing data) => data.Samples.Any(s => s.IsTest) ? BesideTestSet : Of(data.Samples.Count);

    /// <summary>As usual, but of a few hundred images as many are held out as a bundle's golden set needs, and one in twenty more for classes that do not divide evenly.</summary>
    public static SplitShares Of(int imageCount)
    {
        var needed = Math.Ceiling(100 * 1.05 * GoldenSpec.MinimumSampleCount / imageCount);
        if (imageCount * Default.HeldOut / 100 >= GoldenSpec.MinimumSampleCount || needed > MostHeldOut) return Default;
        var rest = (100 - needed) / (100 - Default.HeldOut);
        return new SplitShares(Default.Train * rest, Default.Calibration * rest, Default.Search * rest, needed);
    }

    /// <summary>What images of a part are there for, in a sentence.</summary>
    public static string Word(SplitPart part) => part switch
    {
        SplitPart.Train => "training",
        SplitPart.Calibration => "calibration",
        SplitPart.Search => "search",
        SplitPart.HeldOut => "held-out",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "not a part"),
    };

    /// <summary>As a new image that no split has seen falls to a part: <paramref name="place"/> is 0…1.</summary>
    public SplitPart At(double place, bool withHeldOut)
    {
        place *= Train + Calibration + Search + (withHeldOut ? HeldOut : 0);
        if (place < Train) return SplitPart.Train;
        if (place < Train + Calibration) return SplitPart.Calibration;
        return place < Train + Calibration + Search || !withHeldOut ? SplitPart.Search : SplitPart.HeldOut;
    }
}

/// <summary>
/// A data set cut into four once and for all, the same shares of each class. An image is known by its content, so that copies
/// fall into one part and a renamed file keeps its own; images that come later fall by their content and the seed, and move no other.
/// </summary>
/// <param name="Seed">Shuffles.</param>
/// <param name="Shares">That were asked for.</param>
/// <param name="HasTestSet">The authors' test set is what is held out, and nothing else.</param>
/// <param name="Parts">For each part, the images by name with the digest of their content.</param>
internal sealed record DataSplit(int Seed, SplitShares Shares, bool HasTestSet, IReadOnlyDictionary<SplitPart, IReadOnlyDictionary<string, Digest>> Parts)
{
    private const int FewestOfAClass = 3;

    /// <summary>Of all contents with their parts, and of what else decides: two splits are the same if it is.</summary>
    public Digest Id { get; } = Digest.Of(Encoding.UTF8.GetBytes(string.Join('\n', Parts
        .SelectMany(p => p.Value.Values.Select(d => $"{p.Key} {d.Hex}")).Distinct().Order(StringComparer.Ordinal)
        .Prepend(FormattableString.Invariant($"{Seed} {Shares.Train} {Shares.Calibration} {Shares.Search} {Shares.HeldOut} {HasTestSet}")))));

    /// <summary>
    /// Reads every image once. Each class has at least one held-out image; those of fewer than three are cut together, as if they were one,
    /// since many such classes would else leave nothing to learn from. What cannot be an image is no part of the split, so that it may be mended
    /// or removed; where it is used, it is named.
    /// </summary>
    /// <exception cref="InvalidDataException">No image can be read.</exception>
    public static DataSplit Make(DataListing data, int seed, SplitShares shares)
    {
        var contents = Contents(data, s => s.SoundContent());
        if (contents.All(c => c is null))
            throw new InvalidDataException($"None of the {contents.Length} images can be read, first '{data.Samples[0].Name}'; they must be JPEG or PNG, and files of a CSV lie relative to it, or have their whole path.");
        var hasTestSet = data.Samples.Any(s => s.IsTest);
        var chosen = new Dictionary<Digest, SplitPart>();
        for (var i = 0; i < contents.Length; i++)
            if (data.Samples[i].IsTest && contents[i] is { } test) chosen[test] = SplitPart.HeldOut;
        var cutter = new ClassCutter(seed, shares, hasTestSet);
        var few = new List<Digest>();
        foreach (var members in Enumerable.Range(0, contents.Length).Where(i => contents[i] is not null).ToLookup(i => data.Samples[i].ClassName, i => contents[i]!.Value).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            // What is the same image twice, even under two labels, has one part.
            var open = members.Distinct().Where(d => !chosen.ContainsKey(d)).ToList();
            if (open.Count < FewestOfAClass) few.AddRange(open);
            else cutter.Cut(open, chosen);
        }

        cutter.Cut([.. few.Distinct()], chosen);

        var parts = Enum.GetValues<SplitPart>().ToDictionary(p => p, p => (IReadOnlyDictionary<string, Digest>)Enumerable.Range(0, contents.Length)
            .Where(i => contents[i] is { } content && chosen[content] == p).ToDictionary(i => data.Samples[i].Name, i => contents[i]!.Value));
        return new DataSplit(seed, shares, hasTestSet, parts);
    }

    /// <summary>The images of a data set by part. Reads every image once.</summary>
    /// <exception cref="InvalidDataException">Images of the split are gone, or are not what they were.</exception>
    public SplitImages Apply(DataListing data)
    {
        var contents = Contents(data, s => s.Content());
        var here = contents.OfType<Digest>().ToHashSet();
        var gone = Parts.Values.SelectMany(p => p).Where(i => !here.Contains(i.Value)).Select(i => i.Key).Order(StringComparer.Ordinal).ToList();
        if (gone.Count > 0)
            throw new InvalidDataException($"{gone.Count} images of the split are gone or have changed, first '{gone[0]}'; bring them back; or, if nothing was made with the split yet, remove its file, so that a new one is made; or make a new split and train anew.");

        var known = new Dictionary<Digest, SplitPart>();
        foreach (var (part, images) in Parts)
            foreach (var digest in images.Values) known[digest] = part;
        var parts = data.Samples.Select((s, i) => (s, PartOf(s, contents[i], known))).ToLookup(p => p.Item2, p => p.s);
        return new SplitImages(this, parts);
    }

    private SplitPart PartOf(ImageSample sample, Digest? content, Dictionary<Digest, SplitPart> known)
    {
        if (content is { } digest && known.TryGetValue(digest, out var part)) return part;
        return sample.IsTest ? SplitPart.HeldOut : Shares.At(Place(content ?? Digest.Of(Encoding.UTF8.GetBytes(sample.Name)), Seed), withHeldOut: !HasTestSet);
    }

    private static Digest?[] Contents(DataListing data, Func<ImageSample, Digest?> content) => [.. data.Samples.AsParallel().AsOrdered().Select(content)];

    /// <summary>Evenly spread over 0…1 by content and seed.</summary>
    internal static double Place(Digest content, int seed)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"{seed} {content.Hex}")));
        return BinaryPrimitives.ReadUInt64BigEndian(hash) / (double)ulong.MaxValue;
    }
}
