using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Agent.Racing;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Score = Dunlin.Contracts.Messages.Score;

namespace Dunlin.Agent.Commands;

internal static class ClassifyCommand
{
    private static readonly TimeSpan TimePerImage = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var images = new Argument<string[]>("IMAGE") { Description = "JPEG files.", Arity = ArgumentArity.OneOrMore };
        var bundle = new Option<string?>("--bundle") { Description = "The bundle, an OCI layout directory. Default: Device:Bundle.", HelpName = "DIR" };
        var variant = new Option<string?>("--variant") { Description = "The variant to run. Default: the most accurate one.", HelpName = "ID" };
        var top = new Option<int>("--top") { Description = "Classes per image.", DefaultValueFactory = _ => 5 };
        var json = new Option<bool>("--json") { Description = "Print one JSON object per image and line." };
        var command = new Command("classify", "Classifies image files once, in a sandbox. Exit code 1 if any could not be classified.") { images, bundle, variant, top, json };
        command.SetAction((result, cancellationToken) => AgentCommand.Guard(async () =>
        {
            var release = Offline.OpenBundle(result.GetValue(bundle), AgentCommand.OptionsOf(result).Device);
            var classified = await RunAsync(release, result.GetValue(variant), result.GetValue(images)!, result.GetValue(top), cancellationToken);
            foreach (var image in classified) Print(release, image, result.GetValue(json));
            return classified.Any(image => image.Error is not null) ? 1 : 0;
        }, cancellationToken));
        return command;
    }

    private static async Task<IReadOnlyList<ClassifiedImage>> RunAsync(Bundle release, string? id, string[] images, int top, CancellationToken cancellationToken)
    {
        if (images.FirstOrDefault(image => !File.Exists(image)) is { } missing) throw new CommandException($"There is no file '{missing}'.");
        var variant = id is null
            ? release.Manifest.Variants.MaxBy(v => v.Accuracy.Top1)!
            : release.Manifest.Variants.FirstOrDefault(v => v.Id == id)
              ?? throw new CommandException($"Bundle '{release.Manifest.Name}' has no variant '{id}'; it has {string.Join(", ", release.Manifest.Variants.Select(v => v.Id))}.");
        using var offline = new Offline();
        var session = Vetting.SpecOf(release, variant, new ContenderId(variant.Id, Providers.Cpu, 1));
        var limits = Vetting.LimitsOf(variant);
        var outcome = await offline.Heats.RunAsync(
            new Classify { Session = session, Images = [.. images.Select(Path.GetFullPath)], TopCount = Math.Clamp(top, 1, release.Labels.Count) },
            limits with { WallTime = limits.WallTime + TimePerImage * images.Length }, cancellationToken);
        return outcome.Answer is Classified classified
            ? [.. classified.Images.Select((image, index) => image with { Image = images[index] })]
            : throw new CommandException($"Variant '{variant.Id}' could not classify: {outcome.Reason}");
    }

    private static void Print(Bundle release, ClassifiedImage image, bool json)
    {
        var scores = image.Scores.Select(score => new Score(score.Index, release.Labels[score.Index], score.Probability)).ToList();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new ImageLine(image.Image, image.Error is null ? scores : null, image.Error is null ? image.LatencyMilliseconds : null, image.Error), CommandJson.Default.ImageLine));
            return;
        }

        Console.WriteLine(image.Image);
        if (image.Error is not null) Console.WriteLine($"  {image.Error}");
        foreach (var score in scores) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {score.Probability * 100,5:0.0} %  {score.Label}"));
    }
}

/// <summary>A line of <c>classify --json</c>.</summary>
internal sealed record ImageLine(string Image, IReadOnlyList<Score>? Scores, double? LatencyMilliseconds, string? Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageLine))]
internal sealed partial class CommandJson : JsonSerializerContext;
