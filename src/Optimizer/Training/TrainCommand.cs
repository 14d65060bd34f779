using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Spectre.Console;

namespace Dunlin.Optimizer.Training;

/// <summary><c>train</c>: data set in, ONNX out.</summary>
internal static class TrainCommand
{
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The ONNX file to write; progress is kept beside it.", Required = true };
    private static readonly Option<string> Widths = new("--widths") { Description = "Channels per stage.", DefaultValueFactory = _ => "32,64,128" };
    private static readonly Option<int> Blocks = new("--blocks") { Description = "Residual blocks per stage.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> StemStride = new("--stem-stride") { Description = "1, or 2 to halve the image at once.", DefaultValueFactory = _ => 2 };
    private static readonly Option<int> Epochs = new("--epochs") { Description = "Passes over the training images.", DefaultValueFactory = _ => 10 };
    private static readonly Option<FileInfo?> Teacher = new("--teacher") { Description = "An ONNX classifier to distil from." };
    private static readonly Option<double> Rate = new("--learning-rate") { Description = "The peak of the one-cycle schedule.", DefaultValueFactory = _ => 0.1 };
    private static readonly Option<int> Limit = new("--limit") { Description = "Use only so many training images.", DefaultValueFactory = _ => int.MaxValue };
    private static readonly Option<int> Seed = new("--seed") { Description = "Another seed, another network.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads of torch.", DefaultValueFactory = _ => Environment.ProcessorCount };
    private static readonly Option<bool> BFloat16 = new("--bfloat16") { Description = "Compute in bfloat16: faster on CPUs with avx512_bf16 only." };

    public static Command Create()
    {
        var command = new Command("train", "Trains a residual network on Fashion-MNIST, alone or distilled, and writes it as ONNX.")
        {
            DataOption.Folder, Out, Widths, Blocks, StemStride, Epochs, Teacher, Rate, Limit, Seed, Threads, BFloat16,
        };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var images = FashionMnist.ReadTraining(arguments.GetValue(DataOption.Folder)!.FullName).Take(arguments.GetValue(Limit));
        var spec = new ResidualSpec(
            ResidualSpec.ParseWidths(arguments.GetValue(Widths)!), Checked(arguments, Blocks, 1, 100), Checked(arguments, StemStride, 1, 2), images.ClassNames.Count);
        var options = new TrainingOptions
        {
            Spec = spec,
            EpochCount = Checked(arguments, Epochs, 1, 10_000),
            LearningRate = arguments.GetValue(Rate),
            Seed = arguments.GetValue(Seed),
            UseBFloat16 = arguments.GetValue(BFloat16),
        };
        var path = arguments.GetValue(Out)!.FullName;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var teacher = arguments.GetValue(Teacher) is { } file ? new OnnxTeacher(file.FullName, images.Width, images.Height, images.ClassNames.Count) : null;

        var output = arguments.InvocationConfiguration.Output;
        output.WriteLine($"{spec}; {images.Count} images, {options.EpochCount} epochs");
        var threads = Checked(arguments, Threads, 1, 1024);
        Weights Train(Action<double>? advanced) => new Trainer(images, options, FashionMnist.PixelMean, 1 / FashionMnist.PixelDeviation)
        {
            Teacher = teacher,
            ThreadCount = threads,
            CheckpointPath = Path.ChangeExtension(path, ".checkpoint"),
            Advanced = advanced,
            EpochDone = e => output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"epoch {e.Epoch,3}  loss {e.Loss:f4}  training accuracy {e.Accuracy:p2}  {e.Duration.TotalSeconds:f0} s")),
        }.Run(cancellationToken);

        var weights = WithProgress(Train);

        var model = ResidualGraph.Build(spec, weights, images.Width);
        if (teacher is not null) Provenance.Add(model, Distilled(arguments.GetValue(Teacher)!.Name, teacher, options));
        ModelFile.Save(model, path);
        var facts = GraphFacts.Of(model);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {facts.ParameterCount} parameters, {facts.Macs / 1e6:f2} million multiply-accumulates"));
        return 0;
    }

    // A bar for a person; nothing for a log.
    private static Weights WithProgress(Func<Action<double>?, Weights> train) => AnsiConsole.Profile.Capabilities.Interactive
        ? AnsiConsole.Progress().AutoClear(true).Start(bars =>
        {
            var bar = bars.AddTask("training", maxValue: 1);
            return train(share => bar.Value = share);
        })
        : train(null);

    private static Technique Distilled(string name, OnnxTeacher teacher, TrainingOptions options) => new()
    {
        Kind = "distilled",
        Summary = $"distilled from {Path.GetFileNameWithoutExtension(name)}",
        Parameters = new Dictionary<string, string>
        {
            ["teacher"] = teacher.Name,
            ["temperature"] = options.Temperature.ToString(CultureInfo.InvariantCulture),
            ["teacherWeight"] = options.TeacherWeight.ToString(CultureInfo.InvariantCulture),
        },
    };

    private static int Checked(ParseResult arguments, Option<int> option, int low, int high)
    {
        var value = arguments.GetValue(option);
        return value >= low && value <= high ? value : throw new FormatException($"{option.Name} is {value}; it must be from {low} to {high}.");
    }
}
