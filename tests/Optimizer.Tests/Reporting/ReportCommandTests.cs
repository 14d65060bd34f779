using System.Text.Json;
using System.Xml.Linq;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Reporting;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Evaluation;
using Dunlin.TestKit.Machine;
using Onnx;
using SkiaSharp;

namespace Dunlin.Optimizer.Tests.Reporting;

public sealed class ReportCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-report").FullName;

    public ReportCommandTests()
    {
        foreach (var (name, colour) in new[] { ("red", Pictures.Red), ("green", Pictures.Green), ("blue", Pictures.Blue) })
            for (var i = 0; i < 10; i++) WriteStripes($"images/{name}/{i}.png", colour, width: 16 + i);
        Save("right.onnx", ColourNet.Make(ColourNet.Right));
        Save("same.onnx", Marked(ColourNet.Make(ColourNet.Right), "pruned", "half & half", "dunlin-optimizer prune right.onnx --ratio 0.5 --out same.onnx"));
        Save("wrong.onnx", Marked(ColourNet.Make(ColourNet.GreenIsBlue), "quantized", "int8", "dunlin-optimizer quantize right.onnx --out wrong.onnx"));
    }

    [Fact]
    public async Task ThePageNeedsNothingElseAndTellsOfEachVariant()
    {
        var (code, output, error) = await Report("same.onnx", "wrong.onnx");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("Smallest: right, since no variant within the limit is better.", output);

        var html = await File.ReadAllTextAsync(At("out/report.html"), TestContext.Current.CancellationToken);
        var page = XDocument.Parse(html["<!DOCTYPE html>".Length..]);
        Assert.DoesNotContain("http", html);
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe");
        Assert.All(page.Descendants("img"), i => Assert.StartsWith("data:image/jpeg;base64,", i.Attribute("src")!.Value));
        Assert.Equal(2, page.Descendants("svg").Count());

        var markdown = await File.ReadAllTextAsync(At("out/report.md"), TestContext.Current.CancellationToken);
        foreach (var text in new[] { html, markdown })
            foreach (var expected in new[] { "right", "same", "wrong", "half &amp; half", "−33.33", "green for blue: 10", "prune right.onnx --ratio 0.5", "quantize right.onnx", "dunlin-optimizer report same.onnx" })
                Assert.Contains(expected, text);
        foreach (var name in new[] { "pareto.svg", "savings.svg" }) Assert.Equal("{http://www.w3.org/2000/svg}svg", XDocument.Load(At($"out/{name}")).Root!.Name.ToString());
        Assert.All(System.Text.RegularExpressions.Regex.Matches(markdown, @"\]\(([^)]+)\)"), m => Assert.True(File.Exists(At($"out/{m.Groups[1].Value}"))));
    }

    [Fact]
    public async Task ScriptsReadTheSameFromJson()
    {
        Assert.Equal(0, (await Report("same.onnx", "wrong.onnx")).Code);
        var content = Content();
        Assert.Equal(["right", "same", "wrong"], content.Variants.Select(v => v.Name));
        Assert.Equal(30, content.ImageCount);
        Assert.Equal("images", content.Data);
        Assert.Equal(-1 / 3.0, content.Variants[2].Evaluation.AgainstReference!.Top1Change.Value, 9);
        Assert.Equal("wrong.onnx", content.Variants[2].Evaluation.Model);
        Assert.Equal(1, content.Variants[1].Attention!.Mean, 6);
        Assert.True(content.Variants[2].Attention!.Mean < 0.999);
        Assert.Null(content.Variants[0].Attention);
        Assert.All(content.Variants, v => Assert.Equal(v.Times[0].CpuMilliseconds * 3e-3, v.Joules, 12));
        Assert.Contains("\"recommendations\"", await File.ReadAllTextAsync(At("out/report.json"), TestContext.Current.CancellationToken));
        Assert.Equal(4, content.Attention!.Examples.Count);
        Assert.Equal(1, content.Variants[0].Times[0].Threads);
        Assert.Equal("pruned", content.Variants[1].Techniques.Single().Kind);
        Assert.Equal("Gemm", content.Variants[0].Layers.Layers.Single().Kernel);
        Assert.DoesNotContain(_folder, await File.ReadAllTextAsync(At("out/report.json"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AnEarlierReportIsReplacedAndNothingElse()
    {
        Assert.Equal(0, (await Report("same.onnx")).Code);
        foreach (var (name, text) in new[] { ("heat-9-9.jpg", "old"), ("notes.txt", "mine"), ("heat-map.jpg", "mine") }) await File.WriteAllTextAsync(At($"out/{name}"), text, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await Report("wrong.onnx", "--explained", "0")).Code);
        Assert.Equal(["right", "wrong"], Content().Variants.Select(v => v.Name));
        Assert.Equal(
            ["heat-map.jpg", "notes.txt", "pareto.svg", "report.html", "report.json", "report.md", "savings.svg"],
            Directory.EnumerateFiles(At("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AFolderWithOtherThingsIsLeftAlone()
    {
        Directory.CreateDirectory(At("out"));
        await File.WriteAllTextAsync(At("out/report.html"), "mine", TestContext.Current.CancellationToken);
        var (code, _, error) = await Report("same.onnx");
        Assert.Equal(1, code);
        Assert.Contains("is not empty, and holds no report", error);
        Assert.Equal("mine", await File.ReadAllTextAsync(At("out/report.html"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AReportThatAFullDiskOrAKillInterruptedIsMadeAgain()
    {
        Assert.Equal(0, (await Report("same.onnx", "--explained", "0")).Code);
        var content = Content();
        using var disk = TinyDisk.Mount();
        var folder = Path.Combine(disk.Path, "report");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.json.tmp"), "half", TestContext.Current.CancellationToken);
        disk.Fill();
        Assert.Throws<IOException>(() => ReportWriter.Write(content, folder));
        disk.Free();
        ReportWriter.Write(content, folder);
        Assert.Equal(["pareto.svg", "report.html", "report.json", "report.md", "savings.svg"], Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task TheReferenceAmongTheVariantsIsNotHeldAgainstItself()
    {
        Assert.Equal(0, (await Report("same.onnx", "right.onnx", "../" + Path.GetFileName(_folder) + "/right.onnx", "--explained", "0")).Code);
        Assert.Equal(["right", "same"], Content().Variants.Select(v => v.Name));
    }

    [Fact]
    public async Task WhatCannotBeComparedIsNamed()
    {
        Save("four.onnx", ColourNet.Make([.. ColourNet.Right, 0, 0, 0]));
        Save("large.onnx", ColourNet.Make(ColourNet.Right, side: 16));
        Assert.Contains("four.onnx' tells 4 classes apart", (await Report("four.onnx")).Error);
        Assert.Contains("large.onnx' takes images of 16×16 pixels in 3 channels, the reference", (await Report("large.onnx")).Error);
        Assert.Contains("--watts is 0", (await Report("same.onnx", "--watts", "0")).Error);
        Assert.Contains("--explained is -1", (await Report("same.onnx", "--explained", "-1")).Error);
        Assert.Contains("--limit is 'fast'", (await Report("same.onnx", "--limit", "fast")).Error);
        Assert.False(Directory.Exists(At("out")));
    }

    [Fact]
    public async Task OnlyHeldOutImagesOfTheVariantsOwnSplitAreUsed()
    {
        Assert.Equal(0, (await CommandRun.Of("split", "--data", At("images"), "--out", At("split.json"))).Code);
        Assert.Equal(0, (await CommandRun.Of("split", "--data", At("images"), "--out", At("other.json"), "--seed", "2")).Code);
        var model = ModelFile.Load(At("same.onnx"));
        SplitFile.Load(At("split.json")).Apply(DataListing.Open(At("images"))).Mark(model);
        ModelFile.Save(model, At("same.onnx"));
        Assert.Contains("may have seen these images", (await Report("same.onnx", "--split", At("other.json"))).Error);
        Assert.Equal(0, (await Report("same.onnx", "--split", At("split.json"))).Code);
        Assert.Equal(6, Content().ImageCount);

        var all = SplitFile.Load(At("split.json"));
        var parts = Enum.GetValues<SplitPart>().ToDictionary(p => p, p => p == SplitPart.Train ? all.Parts.Values.SelectMany(i => i).ToDictionary() : (IReadOnlyDictionary<string, Digest>)new Dictionary<string, Digest>());
        SplitFile.Save(new DataSplit(all.Seed, all.Shares, all.HasTestSet, parts), At("none.json"));
        Assert.Contains("No image of the data is held out", (await Report("wrong.onnx", "--split", At("none.json"))).Error);
    }

    [Fact]
    public async Task UnreadableImagesAreLeftOutAndNamed()
    {
        var jpeg = Pictures.Encoded(Pictures.Red, 64, 64, SKEncodedImageFormat.Jpeg);
        await File.WriteAllBytesAsync(At("images/red/cut.jpg"), jpeg[..(jpeg.Length * 3 / 4)], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(At("images/blue/text.jpg"), "text", TestContext.Current.CancellationToken);
        var error = (await Report("same.onnx")).Error;
        Assert.Contains("2 of 32 images cannot be read", error);
        foreach (var name in (string[])["blue/text.jpg", "red/cut.jpg"]) Assert.Contains($"\n  '{name}' (", error);
        Assert.Equal(0, (await Report("same.onnx", "--max-unreadable", "0.1")).Code);
        Assert.Equal((30, 30), (Content().ImageCount, Content().Attention!.ImageCount));
        Assert.Equal(["blue/text.jpg", "red/cut.jpg"], Content().Unreadable.Select(u => u.Name));
        Assert.Contains("first blue/text.jpg (neither JPEG nor PNG)", await File.ReadAllTextAsync(At("out/report.md"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task WhereOneModelDoesNotAllowActivationMapsAllAreExplainedByOcclusion()
    {
        var model = ColourNet.Make(ColourNet.Right);
        // The largest value instead of the mean.
        model.Graph.Node[0].OpType = "GlobalMaxPool";
        Save("largest.onnx", model);
        Assert.Equal(0, (await Report("same.onnx", "largest.onnx", "--explained", "20")).Code);
        var attention = Content().Attention!;
        Assert.StartsWith("occlusion", attention.Method);
        Assert.Equal(12, attention.ImageCount);
        Assert.Equal(1, Content().Variants[1].Attention!.Mean, 6);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<CommandRun> Report(string variant, params string[] more) => CommandRun.Of(
        ["report", At(variant), .. more.Select(m => m.EndsWith(".onnx", StringComparison.Ordinal) ? At(m) : m), "--reference", At("right.onnx"), "--data", At("images"), "--out", At("out"), "--rounds", "3", "--mean", "0", "--std", "255"]);

    private ReportContent Content() => JsonSerializer.Deserialize(File.ReadAllBytes(At("out/report.json")), ReportJson.Default.ReportContent)!;

    private string At(string name) => Path.Combine(_folder, name);

    /// <summary>Half of it the colour, a quarter black, a quarter dark green, so that no heat map is flat.</summary>
    private void WriteStripes(string name, SKColor colour, int width)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, 16, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < bitmap.Height; y++)
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, y < 8 ? colour : y < 12 ? SKColors.Black : new SKColor(20, 140, 20));
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), png.ToArray());
    }

    private void Save(string name, ModelProto model) => ModelFile.Save(model, At(name));

    private static ModelProto Marked(ModelProto model, string kind, string summary, string command)
    {
        Provenance.Add(model, new Technique { Kind = kind, Summary = summary, Parameters = new Dictionary<string, string>() });
        Provenance.AddCommand(model, OptimizerCommand.Create().Parse(command.Split(' ')[1..]));
        return model;
    }
}
