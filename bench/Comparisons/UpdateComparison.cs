using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using Dunlin.TestKit.Registries;
using Dunlin.TestKit.Servers;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>The demo bundle from push to committed, by each way that a board can fetch it, and what the camera's frames notice of it.</summary>
internal static class UpdateComparison
{
    private const string Topic = "update";
    private const string Named = "push of the demo bundle to committed";

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        if (Lacking(rig.Workshop) is { } lacking) return [Measurement.Skipped(Topic, Named, "s", Threshold.Maximum(15), lacking)];
        var folder = Directory.CreateTempSubdirectory("dunlin-bench-update-").FullName;
        try
        {
            await using var registry = await DockerRegistry.StartAsync();
            await using var nginx = await NginxServer.StartAsync();
            var stage = await UpdateStage.CreateAsync(rig, folder);
            var site = Path.Combine(nginx.Root, "demo");
            await stage.PublishAsync($"oci://{registry.Host}/demo", "--plain-http");
            await stage.PublishAsync(site, "--url", $"{nginx.Address}/demo");
            await stage.PublishAsync("mqtt");
            var legs = await Interleaved.RunAsync(
                1,
                () => stage.UpdateAsync($"oci://{registry.Host}/demo"),
                () => stage.UpdateAsync($"{nginx.Address}/demo"),
                () => stage.UpdateAsync("mqtt"));
            var all = legs.SelectMany(leg => leg).ToList();
            return
            [
                Row(Topic, $"{Named}, over OCI", "s", Sample.Of(legs[0].Select(update => update.Seconds)), Threshold.Maximum(15)),
                Row(Topic, $"{Named}, over HTTP", "s", Sample.Of(legs[1].Select(update => update.Seconds)), Threshold.Maximum(15)),
                Row(Topic, $"{Named}, over MQTT", "s", Sample.Of(legs[2].Select(update => update.Seconds)), Threshold.Maximum(20)),
                Row(Topic, "longest gap between results across the switch", "ms", Sample.Of([all.Max(update => update.GapMilliseconds)]), Threshold.Maximum(200), $"the longest of {all.Count} updates"),
                Row(Topic, "frames with no result or two, across the switch", "frames", Sample.Of([all.Sum(update => update.MissingOrDouble)]), Threshold.Maximum(0), $"in {all.Count} updates"),
                Row(Topic, "verification of a directive", "ms", stage.Verification(), Threshold.Maximum(1)),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string? Lacking(Workshop workshop) =>
        !workshop.HasAgent ? $"no published agent at {workshop.Agent}"
        : !File.Exists(workshop.Fleet) ? $"no program at {workshop.Fleet}"
        : !DemoBundle.HasFrames ? "no dataset-fashion-mnist"
        : !File.Exists("/usr/bin/docker-registry") || !File.Exists("/usr/sbin/nginx") ? "docker-registry or nginx is not installed"
        : null;
}
