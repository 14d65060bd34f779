using System.CommandLine;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Frames;
using Onnx;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class DataSplitTests : IDisposable
{
    private const int PerClass = 50;
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-split").FullName;

    public DataSplitTests()
    {
        foreach (var name in new[] { "ape", "cat", "dog" })
            for (var i = 0; i < PerClass; i++) Write($"{name}/{i}.jpg", $"{name} {i}");
    }

    [Fact]
    public void EachClassIsCutAlikeAndNoImageIsInTwoParts()
    {
        var split = Make();
        foreach (var (part, share) in new[] { (SplitPart.Train, 30), (SplitPart.Calibration, 5), (SplitPart.Search, 5), (SplitPart.HeldOut, 10) })
            Assert.All(split.Parts[part].Keys.CountBy(n => n.Split('/')[0]), c => Assert.Equal(share, c.Value));
        Assert.Equal(3 * PerClass, split.Parts.Values.SelectMany(p => p.Keys).Distinct().Count());
    }

    [Fact]
    public void TheSameSeedGivesTheSameSplitAndAnotherAnotherOne()
    {
        Assert.Equal(Make().Id, Make().Id);
        Assert.NotEqual(Make().Id, DataSplit.Make(DataListing.Open(_folder), seed: 2, SplitShares.Default).Id);
    }

    [Fact]
    public void ImagesThatComeLaterMoveNoOther()
    {
        var split = Make();
        var before = Parts(split);
        for (var i = 0; i < 200; i++) Write($"cat/new{i}.jpg", $"new {i}");
        var after = Parts(split);

        Assert.Equal(before.Count + 200, after.Count);
        Assert.All(before, p => Assert.Equal(p.Value, after[p.Key]));
        Assert.InRange(after.Count(p => p.Key.Contains("new", StringComparison.Ordinal) && p.Value == SplitPart.HeldOut), 20, 60);
    }

    [Fact]
    public void ACopyFallsIntoThePartOfItsOriginalEvenUnderAnotherLabel()
    {
        for (var i = 0; i < PerClass; i++) Write($"dog/copy{i}.jpg", $"cat {i}");
        var parts = Parts(Make());
        Assert.All(Enumerable.Range(0, PerClass), i => Assert.Equal(parts[$"cat/{i}.jpg"], parts[$"dog/copy{i}.jpg"]));
    }

    [Fact]
    public void ARenamedImageKeepsItsPartAndALostOrChangedOneIsNamed()
    {
        var split = Make();
        var (held, part) = Parts(split).First(p => p.Value == SplitPart.HeldOut);
        File.Move(Path.Combine(_folder, held), Path.Combine(_folder, "ape/renamed.jpg"));
        Assert.Equal(part, Parts(split)["ape/renamed.jpg"]);

        Write("ape/renamed.jpg", "other content");
        Assert.Contains($"first '{held}'", Assert.Throws<InvalidDataException>(() => split.Apply(DataListing.Open(_folder))).Message);
    }

    [Fact]
    public void WhatCannotBeAnImageIsNoPartOfTheSplitAndMayBeRemoved()
    {
        byte[] photograph = Photograph("a cat"), inFourColours = Photograph("a cat in four colours");
        inFourColours[^16] = 4;
        var files = new Dictionary<string, byte[]> { ["cat/text.jpg"] = "no picture"u8.ToArray(), ["cat/cut.jpg"] = photograph[..^2], ["cat/ink.jpg"] = inFourColours, ["cat/more.jpg"] = [.. photograph, 1, 2, 3] };
        foreach (var (name, bytes) in files) File.WriteAllBytes(Path.Combine(_folder, name), bytes);

        var split = Make();

        Assert.Equal(["cat/more.jpg"], files.Keys.Where(name => split.Parts.Values.Any(p => p.ContainsKey(name))));
        Assert.Equal(3 * PerClass + 4, Parts(split).Count);
        foreach (var name in files.Keys.SkipLast(1)) File.Delete(Path.Combine(_folder, name));
        Assert.Equal(3 * PerClass + 1, Parts(split).Count);
    }

    [Fact]
    public void AnAuthorsTestSetIsWhatIsHeldOut()
    {
        var images = Stripes.Make(90);
        var samples = Enumerable.Range(0, 90).Select(i => new MemorySample($"{i}", Stripes.ClassNames[images.Labels[i]], IsTest: i >= 60, images, i)).ToList();
        var split = DataSplit.Make(new DataListing(samples, Stripes.ClassNames), 1, SplitShares.Default);
        Assert.Equal(samples.Skip(60).Select(s => s.Name), split.Parts[SplitPart.HeldOut].Keys);
        Assert.Equal(60, split.Parts.Where(p => p.Key != SplitPart.HeldOut).Sum(p => p.Value.Count));
    }

    [Theory]
    [InlineData(300, 20)]
    [InlineData(400, 53)]
    [InlineData(500, 42)]
    [InlineData(999, 22)]
    [InlineData(1000, 20)]
    [InlineData(60_000, 20)]
    public void OfAFewHundredImagesEnoughAreHeldOutForAGoldenSet(int imageCount, double heldOut)
    {
        var shares = SplitShares.Of(imageCount);
        Assert.Equal(heldOut, shares.HeldOut);
        Assert.Equal(100, shares.Train + shares.Calibration + shares.Search + shares.HeldOut, 9);
        Assert.Equal(6, shares.Train / shares.Search, 9);
    }

    [Fact]
    public void AClassOfThreeHasAHeldOutImageAndManySmallerOnesAreCutTogether()
    {
        for (var i = 0; i < 3; i++) Write($"eel/{i}.jpg", $"eel {i}");
        for (var i = 0; i < 100; i++) Write($"one{i}/0.jpg", $"one {i}");
        var parts = Parts(Make());
        Assert.Equal(1, parts.Count(p => p.Key.StartsWith("eel/", StringComparison.Ordinal) && p.Value == SplitPart.HeldOut));
        var ones = parts.Where(p => p.Key.StartsWith("one", StringComparison.Ordinal)).CountBy(p => p.Value).ToDictionary();
        Assert.Equal([60, 10, 10, 20], Enum.GetValues<SplitPart>().Select(p => ones[p]));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(9)]
    public void ManySmallClassesGiveThePartsTheirSharesAndALargeOneKeepsItsOwn(int perClass)
    {
        const int small = 200, large = 500;
        var classes = Enumerable.Range(0, small * perClass).Select(i => $"small{i / perClass:d3}").Concat(Enumerable.Repeat("zebra", large)).ToList();
        // Each image is its number.
        var images = new LabelledImages([.. classes.Index().SelectMany(c => BitConverter.GetBytes(c.Index))], new byte[classes.Count], 2, 2, ["any"]);
        var data = new DataListing([.. classes.Select((name, i) => new MemorySample($"{name}/{i}", name, IsTest: false, images, i))], [.. classes.Distinct()]);

        var split = DataSplit.Make(data, seed: 1, SplitShares.Default);

        foreach (var (part, share) in new[] { (SplitPart.Train, 0.6), (SplitPart.Calibration, 0.1), (SplitPart.Search, 0.1), (SplitPart.HeldOut, 0.2) })
        {
            var names = split.Parts[part].Keys.ToList();
            Assert.InRange(names.Count, share * classes.Count - 2, share * classes.Count + 2);
            Assert.InRange(names.Count(n => n.StartsWith("zebra", StringComparison.Ordinal)), share * large - 1, share * large + 1);
        }

        Assert.Equal(split.Id, DataSplit.Make(data, seed: 1, SplitShares.Default).Id);
    }

    [Fact]
    public void ASplitIsWrittenOnceAndReadBackUnlessItWasChanged()
    {
        var (split, path) = (Make(), Path.Combine(_folder, "split.json"));
        SplitFile.Save(split, path);
        Assert.Equal(split.Id, SplitFile.Load(path).Id);
        Assert.Equal(Parts(split), Parts(SplitFile.Load(path)));
        Assert.Contains("there already", Assert.Throws<IOException>(() => SplitFile.Save(split, path)).Message);

        var digest = split.Parts[SplitPart.HeldOut].First().Value.Hex;
        File.WriteAllText(path, File.ReadAllText(path).Replace(digest, new string('0', 64), StringComparison.Ordinal));
        Assert.Contains("was changed", Assert.Throws<InvalidDataException>(() => SplitFile.Load(path)).Message);
        File.WriteAllText(path, "{}");
        Assert.Contains("not a split", Assert.Throws<InvalidDataException>(() => SplitFile.Load(path)).Message);
    }

    [Fact]
    public void OfTwoCommandsThatMakeTheSameSplitAtOnceTheSlowerTakesTheOthers()
    {
        var beside = Path.Combine(_folder, "split.json");
        var images = Stripes.Make(60);
        MemorySample Sample(int i) => new($"{i}", Stripes.ClassNames[images.Labels[i]], IsTest: false, images, i);
        var plain = new DataListing([.. Enumerable.Range(0, 60).Select(Sample)], Stripes.ClassNames);
        // The other has its file there when this one has read the images.
        void Other() => SplitFile.Save(DataSplit.Make(plain, seed: 1, SplitShares.For(plain)), beside);
        var data = plain with { Samples = [new WhileReading(Sample(0), Other), .. plain.Samples.Skip(1)] };
        using var said = new StringWriter();

        var split = SplitOption.ForLearning(new Command("learn") { SplitOption.File }.Parse([]), data, Path.Combine(_folder, "net.onnx"), said);

        Assert.Equal((SplitFile.Load(beside).Id, ""), (split.Split.Id, said.ToString()));
    }

    [Fact]
    public void ASplitIsWrittenBesideWhatAnotherCommandHasNotFinished()
    {
        var path = Path.Combine(_folder, "split.json");
        using var unfinished = new FileStream(path + ".tmp", FileMode.CreateNew, FileAccess.Write, FileShare.None);
        SplitFile.Save(Make(), path);
        Assert.Equal(Make().Id, SplitFile.Load(path).Id);
        Assert.True(File.Exists(unfinished.Name));
    }

    [Fact]
    public void WhoLearnsCannotHaveHeldOutImages() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Make().Apply(DataListing.Open(_folder)).Of(SplitPart.HeldOut));

    [Fact]
    public void AModelIsNotEvaluatedOnImagesThatItMayHaveSeen()
    {
        var data = DataListing.Open(_folder);
        var (mine, other) = (Make().Apply(data), DataSplit.Make(data, seed: 2, SplitShares.Default).Apply(data));
        var model = new ModelProto();
        other.HeldOut.RequireUnseenBy(model, "unmarked");
        mine.Mark(model);

        mine.HeldOut.Take(5).RequireUnseenBy(model, "net");
        Assert.Contains("not with", Assert.Throws<InvalidDataException>(() => other.HeldOut.RequireUnseenBy(model, "net")).Message);
        Assert.Contains("--split", Assert.Throws<InvalidDataException>(() => HeldOutImages.Whole(data).RequireUnseenBy(model, "net")).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private DataSplit Make() => DataSplit.Make(DataListing.Open(_folder), seed: 1, SplitShares.Default);

    private Dictionary<string, SplitPart> Parts(DataSplit split)
    {
        var images = split.Apply(DataListing.Open(_folder));
        var parts = new[] { SplitPart.Train, SplitPart.Calibration, SplitPart.Search }.SelectMany(p => images.Of(p).Select(s => (s.Name, p))).ToDictionary(p => p.Name, p => p.p);
        foreach (var sample in images.HeldOut.Samples) parts.Add(sample.Name, SplitPart.HeldOut);
        return parts;
    }

    private void Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Photograph(content));
    }

    // As much of a JPEG as a split looks at: a comment, a frame, a scan and the end.
    private static byte[] Photograph(string comment) =>
    [
        0xFF, 0xD8, 0xFF, 0xFE, 0, (byte)(comment.Length + 2), .. Encoding.ASCII.GetBytes(comment),
        0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0xFF, 0xD9,
    ];

    // Something happens once, when it is first read.
    private sealed record WhileReading(ImageSample Inner, Action Happens) : ImageSample(Inner.Name, Inner.ClassName, Inner.IsTest)
    {
        private int _readings;

        public override string? Read(FrameBuffer frame) => Inner.Read(frame);

        public override Digest? Content()
        {
            if (Interlocked.Increment(ref _readings) == 1) Happens();
            return Inner.Content();
        }
    }
}
