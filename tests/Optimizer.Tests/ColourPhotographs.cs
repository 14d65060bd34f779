using Dunlin.Optimizer.Tests.Data;

namespace Dunlin.Optimizer.Tests;

/// <summary>A data set in colour, its split, and a network that was trained on it by the command, where libtorch loads.</summary>
public sealed class ColourPhotographs : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-colour").FullName;

    internal CommandRun Training { get; private set; } = null!;

    public string Images => At("images");

    public string At(string name) => Path.Combine(_folder, name);

    public async ValueTask InitializeAsync()
    {
        Pictures.WriteNoisy(Images, perClass: 140);
        // Half is held out, since a golden set needs two hundred.
        await CommandRun.Of("split", "--data", Images, "--out", At("split.json"), "--shares", "30,8,8,54");
        Training = await CommandRun.Of(
            "train", "--data", Images, "--out", At("net.onnx"), "--input-shape", "1x3x16x16", "--widths", "8,16", "--epochs", "6", "--batch-size", "16", "--threads", "1", "--patience", "4");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
