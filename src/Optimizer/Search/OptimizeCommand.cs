using System.CommandLine;
using System.Text.RegularExpressions;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Packing;

namespace Dunlin.Optimizer.Search;

/// <summary><c>optimize</c>: a search, and a bundle of what it found.</summary>
internal static partial class OptimizeCommand
{
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The bundle's directory; must not exist, or be empty.", Required = true };
    private static readonly Option<string?> Name = new("--name") { Description = "The classifier's name; by default the model's file name." };

    public static Command Create()
    {
        var command = new Command("optimize", "Prunes, distils and quantizes within a budget, judges on held-out images, and packs an unsigned bundle of what is worth shipping. Interrupted, it goes on.")
        {
            Out, Name, PackCommand.Version, PackCommand.Label, PackCommand.Golden, RegionOption.Region,
        };
        SearchSetup.AddTo(command);
        command.SetAction(Failures.Reported(RunAsync));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var result = arguments.GetValue(Out)!.FullName;
        SearchCommand.RequireEmpty(result);
        if (arguments.GetValue(PackCommand.Golden) is < GoldenSpec.MinimumSampleCount and var few)
            throw new FormatException($"--golden is {few}; a golden set has at least {GoldenSpec.MinimumSampleCount} samples.");
        var region = RegionOption.Of(arguments);
        var setup = SearchSetup.Of(arguments, result);
        var samples = GoldenChoice.From(setup.HeldOut.Samples, GoldenChoice.SampleCount(arguments.GetValue(PackCommand.Golden), setup.HeldOut.Samples.Count, setup.Data.Input, SearchRun.MostVariants));
        using var study = Study.Open(setup.Work, setup.Recipe, TimeProvider.System);
        var variants = SearchCommand.Judged(arguments, setup, study, cancellationToken);

        var first = variants[0].Model;
        using var golden = PixelSet.Read(samples, setup.Data.Classes, first.Input, setup.UnreadableShare, cancellationToken);
        var measured = new List<VariantMeasurement>();
        // All variants of a bundle have the same ends.
        foreach (var variant in variants)
            measured.Add(await VariantMeasurement.MeasureAsync(variant.Model with { Input = first.Input, Output = first.Output }, variant.HeldOut, golden, cancellationToken) with { Precision = variant.Finalist.Build.Precision });
        var floor = Math.Round(setup.Limit.Floor(variants[0].Top1.Value), 3);
        var release = new ReleaseName(arguments.GetValue(Name) ?? NameOf(setup.Path), arguments.GetValue(PackCommand.Version), arguments.GetValue(PackCommand.Label)!);
        var bundle = new Packer(first.Input with { RegionOfInterest = region }, first.Output, golden).Pack(result, release, measured, floor, TimeProvider.System.GetUtcNow());
        Tell(arguments, setup, variants, bundle);
        return 0;
    }

    private static void Tell(ParseResult arguments, SearchSetup setup, IReadOnlyList<JudgedVariant> variants, Bundle bundle)
    {
        var output = arguments.InvocationConfiguration.Output;
        SearchTables.Write(setup, variants, output);
        output.WriteLine($"{bundle.Path}: release {bundle.ReleaseId}, unsigned, accuracy floor {setup.Limit.Floor(variants[0].Top1.Value):f3}; the models are in {Path.Combine(setup.Work, "variants")}");
        output.WriteLine($"next: dunlin-fleet sign {bundle.Path} --keys KEYS");
    }

    // Names have small letters, digits and hyphens.
    private static string NameOf(string model) =>
        Strange().Replace(Path.GetFileNameWithoutExtension(model).ToLowerInvariant(), "-").Trim('-') is { Length: > 0 } name ? name[..Math.Min(name.Length, 63)] : "classifier";

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex Strange();
}
