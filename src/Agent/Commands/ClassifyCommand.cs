using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Score = Dunlin.Contracts.Messages.Score;

namespace Dunlin.Agent.Commands;

internal static class ClassifyCommand
{
    // Of one process: answer and request must each fit into a message.
    private const int MaximumBatchCount = 500;
    private const int MaximumBatchByteCount = 128 * 1024;

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
            var failed = false;
            await foreach (var image in RunAsync(release, result.GetValue(variant), result.GetValue(images)!, result.GetValue(top), cancellationToken))
            {
                Print(release, image, result.GetValue(json));
                failed |= image.Error is not null;
            }

            return failed ? 1 : 0;
        }, cancellationToken));
        return command;
    }

    private static async IAsyncEnumerable<ClassifiedImage> RunAsync(Bundle release, string? id, string[] images, int top, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (images.FirstOrDefault(image => !File.Exists(image)) is { } missing) throw new CommandException($"There is no file '{missing}'.");
        var variant = id is null
            ? release.Manifest.Variants.MaxBy(v => v.Accuracy.Top1)!
            : release.Manifest.Variants.FirstOrDefault(v => v.Id == id)
              ?? throw new CommandException($"Bundle '{release.Manifest.Name}' has no variant '{id}'; it has {string.Join(", ", release.Manifest.Variants.Select(v => v.Id))}.");
        using var offline = new Offline();
        var session = Vetting.SpecOf(release, variant, new ContenderId(variant.Id, Providers.Cpu, 1));
        var limits = Vetting.LimitsOf(variant);
        foreach (var batch in Batches(images, BatchCountOf(top)))
        {
            var outcome = await offline.Heats.RunAsync(
                new Classify { Session = session, Images = [.. batch.Select(Path.GetFullPath)], TopCount = Math.Clamp(top, 1, Math.Min(release.Labels.Count, ChildMessageRules.MaximumScoreCount)) },
                limits with { WallTime = limits.WallTime + TimePerImage * batch.Count }, cancellationToken);
            if (outcome.Answer is not Classified classified) throw new CommandException($"Variant '{variant.Id}' could not classify: {outcome.Reason}");
            foreach (var (index, image) in classified.Images.Index()) yield return image with { Image = batch[index] };
        }
    }

    /// <summary>A hundred scores of an image may be 5 KiB.</summary>
    private static int BatchCountOf(int top) => Math.Clamp(10 * MaximumBatchCount / Math.Max(1, top), 1, MaximumBatchCount);

    private static IEnumerable<IReadOnlyList<string>> Batches(IReadOnlyList<string> images, int maximumCount)
    {
        var batch = new List<string>();
        var bytes = 0;
        foreach (var image in images)
        {
            // Escaped in JSON, a character may take six bytes.
            var length = 6 * Path.GetFullPath(image).Length;
            if (batch.Count > 0 && (batch.Count == maximumCount || bytes + length > MaximumBatchByteCount))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }

            batch.Add(image);
            bytes += length;
        }

        yield return batch;
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
