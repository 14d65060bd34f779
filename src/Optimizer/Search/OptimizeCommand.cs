using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Packing;
using Dunlin.Optimizer.Reporting;

namespace Dunlin.Optimizer.Search;

/// <summary><c>optimize</c>: a search, a report on what it found, and a bundle of it.</summary>
internal static partial class OptimizeCommand
{
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The bundle's directory; must not exist, or be empty.", Required = true };
    private static readonly Option<DirectoryInfo?> Report = new("--report") { Description = "The folder for the report; by default OUT.report." };
    private static readonly Option<string?> Name = new("--name") { Description = "The classifier's name; by default the model's file name." };

    public static Command Create()
    {
        var command = new Command("optimize", "Prunes, distils and quantizes within a budget, judges on held-out images, reports, and packs an unsigned bundle of what is worth shipping. Interrupted, it goes on.")
        {
            Out, Report, Name, PackCommand.Version, PackCommand.Label, PackCommand.SecurityEpoch, PackCommand.Golden, RegionOption.Region,
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
        var release = PackCommand.ReleaseOf(arguments, arguments.GetValue(Name) ?? NameOf(arguments.GetValue(SearchSetup.Model)!.Name));
        var report = arguments.GetValue(Report)?.FullName ?? result.TrimEnd('/') + ".report";
        SearchCommand.RequireOutside(result, Report.Name, report);
        ReportWriter.RequireOurs(report);
        var setup = SearchSetup.Of(arguments, result);
        using var golden = GoldenChoice.Read(
            arguments.GetValue(PackCommand.Golden), setup.HeldOut.Samples, setup.Data.Classes, setup.Data.Input, setup.MostVariants, setup.UnreadableShare, cancellationToken);
        using var study = Study.Open(setup.Work, setup.Recipe, TimeProvider.System);
        try
        {
            var variants = SearchCommand.Judged(arguments, setup, study, cancellationToken);
            // The bundle comes last: where it stands, all else is done.
            var content = Reported(arguments, setup, variants, cancellationToken);
            ReportWriter.Write(content, report);
            var bundle = await PackedAsync(setup, variants, golden, region, release, result, cancellationToken);
            Tell(arguments, setup, variants, bundle);
            foreach (var recommendation in Recommendation.Of(content)) arguments.InvocationConfiguration.Output.WriteLine(recommendation.Sentence);
            arguments.InvocationConfiguration.Output.WriteLine(Path.Combine(report, "report.html"));
            arguments.InvocationConfiguration.Output.WriteLine($"next: dunlin-fleet sign {bundle.Path} --keys KEYS");
            if (variants.Any(v => v.Limit != LimitAnswer.Fails)) return 0;
            // The bundle is there to be looked at; a script must not take it for what was asked.
            await arguments.InvocationConfiguration.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"dunlin-optimizer: no variant holds {setup.Limit}, not even {SearchRun.ReferenceId}; the best has a top-1 of {variants.Max(v => v.Top1.Value):f3} on the held-out images. The bundle's accuracy floor is {bundle.Manifest.AccuracyFloor:f3} therefore; to ask for less, begin again with a lower --limit and other folders."));
            return 1;
        }
        catch (IOException error)
        {
            throw study.WithWayOn(error);
        }
    }

    private static async Task<Bundle> PackedAsync(
        SearchSetup setup, IReadOnlyList<JudgedVariant> variants, PixelSet golden, RegionOfInterest? region, ReleaseName release, string result, CancellationToken cancellationToken)
    {
        var first = variants[0].Model;
        var measured = new List<VariantMeasurement>();
        // All variants of a bundle have the same ends.
        foreach (var variant in variants)
            measured.Add(await VariantMeasurement.MeasureAsync(variant.Model with { Input = first.Input, Output = first.Output }, variant.HeldOut, golden, cancellationToken));
        var floor = FloorChoice.Accuracy(setup.Limit.Floor(variants[0].Top1.Value), variants.Max(v => v.Top1.Value));
        return new Packer(first.Input with { RegionOfInterest = region }, first.Output, golden).Pack(result, release, measured, floor, TimeProvider.System.GetUtcNow());
    }

    private static ReportContent Reported(ParseResult arguments, SearchSetup setup, IReadOnlyList<JudgedVariant> variants, CancellationToken cancellationToken)
    {
        var options = ReportOptions.Default with { Limit = setup.Limit, WattsPerCore = setup.WattsPerCore, UnreadableShare = setup.UnreadableShare, TimingBudget = SearchRun.TimingBudget(setup.Budget) };
        return Reporter.Measure(
            arguments.GetValue(DataOption.Any)!, setup.HeldOut, setup.Data.Classes, [.. variants.Select(v => v.Model)], [.. variants.Select(v => v.HeldOut)],
            options, CommandLine.Of(arguments), arguments.InvocationConfiguration.Output.WriteLine, cancellationToken);
    }

    private static void Tell(ParseResult arguments, SearchSetup setup, IReadOnlyList<JudgedVariant> variants, Bundle bundle)
    {
        var output = arguments.InvocationConfiguration.Output;
        SearchTables.Write(setup, variants, output);
        output.WriteLine($"{bundle.Path}: release {bundle.ReleaseId}, unsigned, accuracy floor {bundle.Manifest.AccuracyFloor:f3}; the models are in {Path.Combine(setup.Work, "variants")}");
    }

    // Names have small letters, digits and hyphens.
    private static string NameOf(string model) =>
        Strange().Replace(Path.GetFileNameWithoutExtension(model).ToLowerInvariant(), "-").Trim('-') is { Length: > 0 } name ? name[..Math.Min(name.Length, 63)] : "classifier";

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex Strange();
}
