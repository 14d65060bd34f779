using System.Text.Json;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Search;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Training;
using SkiaSharp;

namespace Dunlin.Optimizer.Tests.Search;

/// <summary>A folder of striped images and a network that knows them, for searches in real processes.</summary>
public sealed class SearchLab : IDisposable
{
    private const int ImageCount = 1080;
    private readonly Lazy<string> _model;

    public SearchLab()
    {
        Write(Data, ImageCount);
        _model = new Lazy<string>(Trained);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("dunlin-search").FullName;

    public string Data => Path.Combine(Folder, "data");

    /// <summary>Trained once for all tests.</summary>
    public string Model => _model.Value;

    /// <summary>The command line of a search of the model within 120 steps, if other options do not say otherwise.</summary>
    public string[] Arguments(string verb, string name, params ReadOnlySpan<string> options)
    {
        var all = new Dictionary<string, string> { ["--data"] = Data, ["--out"] = Out(name), ["--budget"] = "120steps", ["--step"] = "4", ["--mean"] = "120", ["--std"] = "100" };
        for (var i = 0; i < options.Length; i += 2) all[options[i]] = options[i + 1];
        return [verb, Model, .. all.SelectMany(o => new[] { o.Key, o.Value })];
    }

    public string Out(string name) => Path.Combine(Folder, name);

    public string Study(string name) => Out(name) + ".study";

    /// <summary>Records of finished measurements so far.</summary>
    public int RecordCount(string name) => Directory.Exists(Path.Combine(Study(name), "records")) ? Directory.EnumerateFiles(Path.Combine(Study(name), "records"), "*.json").Count() : 0;

    /// <summary>What a study spent on its measurements.</summary>
    public double RecordedSeconds(string name) => Directory.EnumerateFiles(Path.Combine(Study(name), "records"), "*.json")
        .Sum(f => JsonSerializer.Deserialize(File.ReadAllBytes(f), StudyJson.Default.StudyRecord)!.Seconds);

    /// <summary>What a study came to: every model by its digest, and who stayed after each round.</summary>
    public string Outcome(string name) => string.Join('\n', Directory.EnumerateFiles(Path.Combine(Study(name), "models"), "*.onnx").Order()
        .Select(f => $"{Path.GetFileName(f)} {Digest.Of(File.ReadAllBytes(f))}"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private string Trained()
    {
        var graph = ModelGraph.Of(ResidualGraph.Build(new ResidualSpec([8, 16], [1, 1], StemStride: 2, ClassCount: 3), [1, 1, Stripes.Side, Stripes.Side], seed: 1));
        using var images = Stripes.Pixels(600, seed: 99);
        new Trainer(images, new TrainingOptions { EpochCount = 3, BatchSize = 32 }) { ThreadCount = 1 }.Run(graph, TestContext.Current.CancellationToken);
        var path = Path.Combine(Folder, "stripes.onnx");
        ModelFile.Save(graph.Model, path);
        return path;
    }

    internal static void Write(string folder, int count)
    {
        var images = Stripes.Make(count);
        // Folders are listed by name: in the order of the labels, so that the network that was trained without names is right about them.
        string[] names = [.. Stripes.ClassNames.Select((name, label) => $"{label}-{name}")];
        foreach (var name in names) Directory.CreateDirectory(Path.Combine(folder, name));
        for (var i = 0; i < count; i++)
        {
            using var bitmap = new SKBitmap(new SKImageInfo(Stripes.Side, Stripes.Side, SKColorType.Rgba8888, SKAlphaType.Unpremul));
            for (var p = 0; p < Stripes.Side * Stripes.Side; p++)
            {
                var gray = images.Image(i)[p];
                bitmap.SetPixel(p % Stripes.Side, p / Stripes.Side, new SKColor(gray, gray, gray));
            }

            using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            File.WriteAllBytes(Path.Combine(folder, names[images.Labels[i]], $"{i:d4}.png"), data.ToArray());
        }
    }
}
