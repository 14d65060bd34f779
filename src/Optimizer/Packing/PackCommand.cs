using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Packing;

/// <summary><c>pack</c>: models in, one unsigned bundle out.</summary>
internal static class PackCommand
{
    /// <summary>What a variant may lose to the best one and still be worth racing.</summary>
    private const double WorthRacing = 0.03;

    private static readonly Argument<FileInfo[]> Models = new("model") { Description = "ONNX files; a variant is named after its file.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The bundle's directory; must not exist, or be empty.", Required = true };
    private static readonly Option<string> Name = new("--name") { Description = "The classifier's name.", DefaultValueFactory = _ => "garments" };
    private static readonly Option<int> Version = new("--version-number") { Description = "Rises with every release.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Label = new("--label") { Description = "The version that people say.", DefaultValueFactory = _ => "1.0.0" };
    private static readonly Option<double?> Floor = new("--accuracy-floor") { Description = "Top-1 in 0…1 below which no device races a variant; 0.03 below the best one if not given." };
    private static readonly Option<int> Golden = new("--golden") { Description = "Samples of the golden set.", DefaultValueFactory = _ => 400 };

    public static Command Create()
    {
        var command = new Command("pack", "Measures models on the held-out images and packs them with labels and golden set into an unsigned bundle.")
        {
            Models, DataOption.Folder, Out, Name, Version, Label, Floor, Golden,
        };
        command.SetAction(Failures.Reported(RunAsync));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var count = arguments.GetValue(Golden);
        if (count < GoldenSpec.MinimumSampleCount)
            throw new FormatException($"--golden is {count}; a golden set has at least {GoldenSpec.MinimumSampleCount} samples.");
        var heldOut = FashionMnist.ReadTest(arguments.GetValue(DataOption.Folder)!.FullName);
        var golden = GoldenChoice.From(heldOut, count);
        // All variants of a bundle have the same ends; loading one that has not fails.
        var first = ModelFile.Load(arguments.GetValue(Models)![0].FullName);
        var input = FashionMnist.Input(ModelEnds.InputOf(first), BeltScene.Window);
        var output = ModelEnds.OutputOf(first);
        var variants = new List<VariantMeasurement>();
        foreach (var file in arguments.GetValue(Models)!)
        {
            var variant = await VariantMeasurement.MeasureAsync(file.FullName, input, output, heldOut, golden, cancellationToken);
            variants.Add(variant);
            arguments.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{variant.Id}: top-1 {variant.Answers.ToAccuracy().Top1:p2} of {heldOut.Count} held-out images"));
        }

        var floor = arguments.GetValue(Floor) ?? Math.Round(variants.Max(v => v.Answers.ToAccuracy().Top1) - WorthRacing, 3);
        var release = new ReleaseName(arguments.GetValue(Name)!, arguments.GetValue(Version), arguments.GetValue(Label)!);
        var bundle = new Packer(heldOut, input, output).Pack(arguments.GetValue(Out)!.FullName, release, variants, golden, floor, TimeProvider.System.GetUtcNow());
        arguments.InvocationConfiguration.Output.WriteLine($"{bundle.Path}: release {bundle.ReleaseId}, unsigned");
        return 0;
    }
}
