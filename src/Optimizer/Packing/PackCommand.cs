using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Packing;

/// <summary><c>pack</c>: models in, one unsigned bundle out.</summary>
internal static class PackCommand
{
    /// <summary>What a variant may lose to the best one and still be worth racing.</summary>
    private const double WorthRacing = 0.03;

    private static readonly Argument<FileInfo[]> Models = new("model") { Description = "ONNX files; a variant is named after its file, in lower case and with hyphens.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The bundle's directory; must not exist, or be empty.", Required = true };
    private static readonly Option<string> Name = new("--name") { Description = "The classifier's name.", Required = true };
    public static readonly Option<int> Version = new("--version-number") { Description = "Rises with every release.", DefaultValueFactory = _ => 1 };
    public static readonly Option<string> Label = new("--label") { Description = "The version that people say.", DefaultValueFactory = _ => "1.0.0" };
    public static readonly Option<int> SecurityEpoch = new("--security-epoch") { Description = "1 or more: a device that has committed the release takes none of a lower epoch, for good. Raise it only to shut out what must not come back.", DefaultValueFactory = _ => 1 };
    private static readonly Option<double?> Floor = new("--accuracy-floor") { Description = "Top-1 in 0…1 below which no device races a variant; 0.03 below the best one if not given." };
    public static readonly Option<int?> Golden = new("--golden") { Description = "Samples of the golden set; by default 400, or as many as there are and fit into it." };

    public static Command Create()
    {
        var command = new Command("pack", "Measures models on the held-out images and packs them with labels and golden set into an unsigned bundle.")
        {
            Models, Out, Name, Version, Label, SecurityEpoch, Floor, Golden, RegionOption.Region,
        };
        foreach (var option in EvaluationSetup.Options.Concat(HeldOutAnswers.Options)) command.Add(option);
        command.SetAction(Failures.Reported(RunAsync));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(Golden) is < GoldenSpec.MinimumSampleCount and var few)
            throw new FormatException($"--golden is {few}; a golden set has at least {GoldenSpec.MinimumSampleCount} samples.");
        var wanted = arguments.Checked(Floor, 0, 1);
        var region = RegionOption.Of(arguments);
        var release = ReleaseOf(arguments, arguments.GetValue(Name)!);
        var setup = EvaluationSetup.Of(arguments, arguments.GetValue(Models)!);
        if (setup.Models.CountBy(m => VariantMeasurement.IdOf(m.Path)).FirstOrDefault(c => c.Value > 1) is { Value: > 1 } twice)
            throw new InvalidDataException($"Two variants would be called '{twice.Key}'; rename a file.");
        setup.RequireLikeInputs();
        // All variants of a bundle have the same ends; loading one that has not fails.
        var (input, output) = (setup.Models[0].Input, setup.Models[0].Output);
        using var golden = GoldenChoice.Read(
            arguments.GetValue(Golden), setup.Images.Samples, setup.ClassesOf(setup.Models[0]), input, setup.Models.Count, DataOption.UnreadableShare(arguments), cancellationToken);
        List<EvaluatedModel> models = [.. setup.Models.Select(m => m with { Input = input, Output = output })];
        var answers = models.Select(m => HeldOutAnswers.Of(arguments, m, setup, cancellationToken)).ToList();
        var floor = FloorOf(wanted, answers.Max(a => new ModelAnswers(a.Answers).ToAccuracy().Top1));
        var variants = new List<VariantMeasurement>();
        foreach (var (model, heldOut) in models.Zip(answers))
        {
            var variant = await VariantMeasurement.MeasureAsync(model, heldOut, golden, cancellationToken);
            variants.Add(variant);
            arguments.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{variant.Id}: top-1 {variant.Answers.ToAccuracy().Top1:p2} of {heldOut.Answers.Count} held-out images"));
        }

        var bundle = new Packer(input with { RegionOfInterest = region }, output, golden).Pack(arguments.GetValue(Out)!.FullName, release, variants, floor, TimeProvider.System.GetUtcNow());
        arguments.InvocationConfiguration.Output.WriteLine($"{bundle.Path}: release {bundle.ReleaseId}, unsigned");
        return 0;
    }

    private static double FloorOf(double? wanted, double best) => wanted > best
        ? throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{Floor.Name} is {wanted}, and the best variant has a top-1 of {best:f4} on the held-out images, so that no device would race any; give no more than that, or add a better variant."))
        : wanted ?? FloorChoice.Accuracy(best - WorthRacing, best);

    /// <summary>What the options say, by the manifest's own rules, before anything is measured.</summary>
    /// <exception cref="FormatException">A manifest may not have it.</exception>
    public static ReleaseName ReleaseOf(ParseResult arguments, string name)
    {
        if (arguments.GetValue(SecurityEpoch) is < 1 and var low) throw new FormatException($"{SecurityEpoch.Name} is {low}; it must be 1 or more.");
        var release = new ReleaseName(name, arguments.GetValue(Version), arguments.GetValue(Label)!, arguments.GetValue(SecurityEpoch));
        return release.FindErrors() is [var error, ..]
            ? throw new FormatException($"{error with { Path = error.Path switch { "$.version" => Version.Name, "$.label" => Label.Name, _ => Name.Name } }}")
            : release;
    }
}
