using System.CommandLine;
using System.Text.RegularExpressions;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
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
            Out, Report, Name, PackCommand.Version, PackCommand.Label, PackCommand.Golden, RegionOption.Region,
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
        var report = arguments.GetValue(Report)?.FullName ?? result.TrimEnd('/') + ".report";
        ReportWriter.RequireOurs(report);
        var setup = SearchSetup.Of(arguments, result);
        var samples = GoldenChoice.From(setup.HeldOut.Samples, GoldenChoice.SampleCount(arguments.GetValue(PackCommand.Golden), setup.HeldOut.Samples.Count, setup.Data.Input, setup.MostVariants));
        using var study = Study.Open(setup.Work, setup.Recipe, TimeProvider.System);
        var variants = SearchCommand.Judged(arguments, setup, study, cancellationToken);
        // The bundle comes last: where it stands, all else is done.
        var content = Reported(arguments, setup, variants, cancellationToken);
        ReportWriter.Write(content, report);

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
        foreach (var recommendation in Recommendation.Of(content)) arguments.InvocationConfiguration.Output.WriteLine(recommendation.Sentence);
        arguments.InvocationConfiguration.Output.WriteLine(Path.Combine(report, "report.html"));
        arguments.InvocationConfiguration.Output.WriteLine($"next: dunlin-fleet sign {bundle.Path} --keys KEYS");
        return 0;
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
        output.WriteLine($"{bundle.Path}: release {bundle.ReleaseId}, unsigned, accuracy floor {setup.Limit.Floor(variants[0].Top1.Value):f3}; the models are in {Path.Combine(setup.Work, "variants")}");
    }

    // Names have small letters, digits and hyphens.
    private static string NameOf(string model) =>
        Strange().Replace(Path.GetFileNameWithoutExtension(model).ToLowerInvariant(), "-").Trim('-') is { Length: > 0 } name ? name[..Math.Min(name.Length, 63)] : "classifier";

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex Strange();
}
