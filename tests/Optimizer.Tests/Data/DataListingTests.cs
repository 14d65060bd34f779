using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Frames;
using SkiaSharp;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class DataListingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-data").FullName;

    [Fact]
    public void ClassesAreTheFoldersInOrderAndImagesLieAtAnyDepth()
    {
        Touch("cat/b.JPG", "cat/deep/a.png", "ape/x.jpeg", "ape/notes.txt", ".hidden/y.jpg", "cat/.z.jpg");
        var data = DataListing.Open(_folder);
        Assert.Equal(["ape", "cat"], data.ClassNames);
        Assert.Equal([("ape/x.jpeg", "ape"), ("cat/b.JPG", "cat"), ("cat/deep/a.png", "cat")], data.Samples.Select(s => (s.Name, s.ClassName)));
    }

    [Fact]
    public void WhatIsNoDataSetIsRefusedWithTheForms()
    {
        Touch("ape/x.jpg", "cat/notes.txt");
        Assert.Contains("Class 'cat'", Refused(_folder));
        Assert.Contains("no sub-folder", Refused(Path.Combine(_folder, "cat")));
        Assert.Contains("not a CSV", Refused(Path.Combine(_folder, "cat/notes.txt")));
        Assert.Contains("CSV of file and label", Assert.Throws<DirectoryNotFoundException>(() => DataListing.Open(Path.Combine(_folder, "none"))).Message);
    }

    [Fact]
    public void PartsOfADataSetAreNoClasses()
    {
        Touch("train/cat/a.jpg", "train/dog/b.jpg", "val/cat/c.jpg", "val/dog/d.jpg");
        var refused = Refused(_folder);
        Assert.Contains("'train', 'val'", refused);
        Assert.Contains($"--data, for example '{Path.Combine(_folder, "train")}'", refused);
        Assert.Equal(["cat", "dog"], DataListing.Open(Path.Combine(_folder, "train")).ClassNames);
        // Somebody's classes may be called so.
        Touch("train/e.jpg", "val/f.jpg");
        Assert.Equal(["train", "val"], DataListing.Open(_folder).ClassNames);
    }

    [Fact]
    public void ACsvMayHaveQuotesCommasAndNoHeader()
    {
        var data = Csv("\"a, b.jpg\",\"tench, Tinca tinca\"\r\n\"say \"\"x\"\".png\", plain \r\n");
        Assert.Equal([("a, b.jpg", "tench, Tinca tinca"), ("say \"x\".png", "plain")], data.Samples.Select(s => (s.Name, s.ClassName)));
        Assert.Equal(Path.Combine(_folder, "a, b.jpg"), ((FileSample)data.Samples[0]).Path);
    }

    [Fact]
    public void AHeaderMaySayWhereTheColumnsAre()
    {
        Assert.Equal([("1.jpg", "cat")], Csv("label,width,file\ncat,20,1.jpg\n").Samples.Select(s => (s.Name, s.ClassName)));
        Assert.Equal([("1.jpg", "cat")], Csv("something,else\n1.jpg,cat\n").Samples.Select(s => (s.Name, s.ClassName)));
    }

    [Theory]
    [InlineData("breed,file\ncat,1.jpg\n")]
    [InlineData("label,image_path\ncat,1.jpg\n")]
    [InlineData("file,breed\n1.jpg,cat\n")]
    [InlineData("image_path,label\n1.jpg,cat\n")]
    public void OfTwoColumnsOneNameIsEnough(string text) => Assert.Equal([("1.jpg", "cat")], Csv(text).Samples.Select(s => (s.Name, s.ClassName)));

    [Theory]
    [InlineData("a.jpg,cat\nb.jpg\n", "Line 2")]
    [InlineData("a.jpg,cat\na.jpg,dog\n", "'a.jpg' again")]
    [InlineData("a.jpg,cat\nb\"x.jpg,dog\n", "Line 2")]
    [InlineData("id,file,breed\n1,a.jpg,cat\n", "(id,file,breed) does not say where file and label both are; call the two columns 'file' and 'label'")]
    [InlineData("width,label,photo\n20,cat,a.jpg\n", "(width,label,photo) does not say")]
    [InlineData("file\na.jpg\n", "(file) does not say")]
    [InlineData("file,label\n", "lists no images")]
    [InlineData("", "lists no images")]
    public void ADamagedCsvIsRefusedWithItsLine(string text, string why) => Assert.Contains(why, Assert.Throws<InvalidDataException>(() => Csv(text)).Message);

    [Fact]
    public void ClassesOfIdxFilesAreNumbersUnlessTheyAreFashionMnist()
    {
        WriteIdx("train", [25, 3, 0]);
        WriteIdx("t10k", [26]);
        var data = DataListing.Open(_folder);
        Assert.Equal((27, true, "25", false), (data.ClassNames.Count, data.ClassesAreNumbers, data.Samples[0].ClassName, FashionMnist.IsIn(_folder)));
        Assert.Equal([false, false, false, true], data.Samples.Select(s => s.IsTest));
        Assert.Equal(26, ClassMap.Of(data, labels: null, 30).LabelOf(data.Samples[3]));

        WriteIdx("train", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9, 5, 5, 7, 9, 1]);
        WriteIdx("t10k", [1]);
        Assert.Equal(("ankle boot", "trouser"), (DataListing.Open(_folder).Samples[0].ClassName, DataListing.Open(_folder).Samples[^1].ClassName));
    }

    [Fact]
    public void NamesAreTheOutputsInOrderOrWhereTheLabelsHaveThem()
    {
        var data = Csv("1.jpg,cat\n2.jpg,ape\n");
        Assert.Equal([1, 0], data.Samples.Select(ClassMap.Of(data, null, 2).LabelOf));
        Assert.Equal([0, 2], data.Samples.Select(ClassMap.Of(data, ["cat", "dog", "ape"], 3).LabelOf));
    }

    [Fact]
    public void NumbersAreOutputsEvenWhereSortingWouldSayOtherwise()
    {
        var data = Csv("1.jpg,10\n2.jpg,2\n");
        Assert.Equal([10, 2], data.Samples.Select(ClassMap.Of(data, null, 11).LabelOf));
        Assert.Contains("label 10", Mismatch(data, null, 10));
    }

    [Fact]
    public void LabelsThatDoNotMatchAreRefused()
    {
        var data = Csv("1.jpg,cat\n2.jpg,ape\n");
        Assert.Contains("2 classes (ape, cat…), but the model has 3 outputs", Mismatch(data, null, 3));
        Assert.Contains("2 labels, but the model has 3 outputs", Mismatch(data, ["ape", "cat"], 3));
        Assert.Contains("first 'cat'", Mismatch(data, ["ape", "dog"], 2));
        Assert.Contains("Two outputs are called 'cat'", Mismatch(data, ["ape", "cat", "cat"], 3));
    }

    [Fact]
    public void LabelsAreLinesOrJson()
    {
        File.WriteAllText(At("l.txt"), "tench, Tinca tinca\r\ncrane\n");
        File.WriteAllText(At("l.json"), """["a", "b"]""");
        File.WriteAllText(At("gap.txt"), "a\n\nb\n");
        Assert.Equal(["tench, Tinca tinca", "crane"], ClassMap.ReadLabels(At("l.txt")));
        Assert.Equal(["a", "b"], ClassMap.ReadLabels(At("l.json")));
        Assert.Contains("Label 2", Assert.Throws<InvalidDataException>(() => ClassMap.ReadLabels(At("gap.txt"))).Message);
    }

    [Fact]
    public void APngBecomesItsPixelsWithoutAlpha()
    {
        Pictures.Write(At("a.png"), new SKColor(200, 100, 50, 128), 3, 2);
        var frame = new FrameBuffer();
        Assert.Null(new FileSample("a", "x", At("a.png")).Read(frame));
        Assert.Equal((PixelFormat.Rgb24, 3, 2, 9), (frame.Format, frame.Width, frame.Height, frame.Stride));
        Assert.All(Enumerable.Range(0, 6), i => Assert.Equal([200, 100, 50], frame.Content.Slice(3 * i, 3).ToArray().Select(b => (int)b)));
    }

    [Fact]
    public void UnreadableFilesSayWhy()
    {
        var png = Pictures.Encoded(Pictures.Red, 200, 200, SKEncodedImageFormat.Png);
        File.WriteAllBytes(At("cut.png"), png[..(png.Length / 2)]);
        File.WriteAllBytes(At("text.jpg"), "hello"u8);
        File.WriteAllBytes(At("empty.jpg"), []);
        Assert.Contains("damaged PNG", Why("cut.png"));
        Assert.Contains("neither JPEG nor PNG", Why("text.jpg"));
        Assert.Contains("empty", Why("empty.jpg"));
        Assert.Contains("no such file", Why("none.jpg"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void WriteIdx(string part, byte[] labels)
    {
        File.WriteAllBytes(Path.Combine(_folder, $"{part}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, (byte)labels.Length, 0, 0, 0, 1, 0, 0, 0, 1, .. labels]);
        File.WriteAllBytes(Path.Combine(_folder, $"{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, (byte)labels.Length, .. labels]);
    }

    private static string Mismatch(DataListing data, string[]? labels, int outputs) => Assert.Throws<InvalidDataException>(() => ClassMap.Of(data, labels, outputs)).Message;

    private static string Refused(string path) => Assert.Throws<InvalidDataException>(() => DataListing.Open(path)).Message;

    private string? Why(string name) => new FileSample(name, "x", At(name)).Read(new FrameBuffer());

    private string At(string name) => Path.Combine(_folder, name);

    private DataListing Csv(string text)
    {
        File.WriteAllText(At("list.csv"), text);
        return DataListing.Open(At("list.csv"));
    }

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
            File.WriteAllText(At(name), name);
        }
    }
}
