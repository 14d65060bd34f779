using System.Diagnostics;
using System.Globalization;
using Dunlin.Bench.Loops;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>What <c>quantize</c> with its defaults makes of MobileNetV2 on a few photographs: answers lost, speed won, and its own cost.</summary>
internal static class QuantizationComparison
{
    private const string Topic = "quantize";
    private const string Lost = "MobileNetV2, top-1 lost by quantize with its defaults";
    private const int SplitCount = 5;
    private const int CalibrationCount = 200;
    private const int RunCount = 50;
    private static readonly Threshold MostLost = Threshold.Maximum(1.0, aim: 0.3);

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        if (!rig.Workshop.HasImageNet) return [Measurement.Skipped(Topic, Lost, "points", MostLost, rig.Workshop.NoImageNet)];
        var folder = Directory.CreateTempSubdirectory("dunlin-bench-quantize-").FullName;
        try
        {
            var material = new MobileNet(rig.Workshop);
            var data = Listing(rig.Workshop, folder);
            var right = RightAnswers(material, material.ModelPath(MobileNet.Float), Enumerable.Range(0, data.Samples.Count));
            var (costs, differences) = (new List<CommandCost>(), new List<int>());
            for (var seed = 1; seed <= SplitCount; seed++)
            {
                var (calibration, test) = Cut(data.Samples.Count, seed);
                var split = new DataSplit(seed, new SplitShares(0, 40, 60, 0), HasTestSet: false, Parts(data, calibration, test));
                SplitFile.Save(split, Path.Combine(folder, $"{seed}.json"));
                costs.Add(await MeasuredCommand.RunAsync(rig.Workshop.Optimizer, Command(material, folder, seed), rig.CancellationToken));
                differences.AddRange(test.Zip(RightAnswers(material, Result(folder, seed), test), (image, isRight) => (isRight ? 1 : 0) - (right[image] ? 1 : 0)));
            }

            return [.. Rows(differences, costs), await SpeedAsync(rig, material.ModelPath(MobileNet.Float), Result(folder, 1))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<Measurement> Rows(List<int> differences, List<CommandCost> costs)
    {
        var change = PairedBootstrap.MeanOf(differences.ToArray(), seed: 1);
        var differing = differences.Count(d => d != 0);
        yield return Row(Topic, Lost, "points", new Sample(-100 * change.Value, -100 * change.High, -100 * change.Low, differences.Count), MostLost,
            string.Create(CultureInfo.InvariantCulture, $"the range is the 95 % interval of a paired bootstrap; one of both is right on {differing}; a photograph may be in several splits"));
        yield return Row(Topic, "the whole command, 200 photographs to calibrate and 300 to check", "s", Sample.Of(costs.Select(c => c.Seconds)), Threshold.Maximum(60, aim: 20));
        yield return Row(Topic, "the same: peak of its resident memory", "MiB", Sample.Of(costs.Select(c => c.PeakMebibytes)), Threshold.Maximum(1536));
    }

    private static async Task<Measurement> SpeedAsync(Rig rig, string single, string integer)
    {
        using var first = new BareSession(single, saved: false);
        using var second = new BareSession(integer, saved: false);
        Time(first);
        Time(second);
        var legs = await Interleaved.RunAsync(4 * rig.Settings.Rounds, () => Task.FromResult(Time(first)), () => Task.FromResult(Time(second)));
        return Row(Topic, "MobileNetV2 on one thread: time in float ÷ time on bytes", "×", Sample.Ratio(legs[0], legs[1]), Threshold.Minimum(1.9));
    }

    private static double Time(BareSession session)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < RunCount; i++) session.Run();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static string Result(string folder, int seed) => Path.Combine(folder, $"{seed}.onnx");

    private static string[] Command(MobileNet material, string folder, int seed) =>
    [
        "quantize", material.ModelPath(MobileNet.Float), "--data", Path.Combine(folder, "photographs.csv"), "--split", Path.Combine(folder, $"{seed}.json"),
        "--mean", "127.5", "--std", "127.5", "--fit", "stretch", "--out", Result(folder, seed),
    ];

    /// <summary>The photographs as the command reads them; their own list has names relative to another folder.</summary>
    private static DataListing Listing(Workshop workshop, string folder)
    {
        var lines = File.ReadLines(workshop.ImageNetFile("labels.csv")).Skip(1).Select(line => Path.Combine(workshop.ImageNet, "images", line));
        var path = Path.Combine(folder, "photographs.csv");
        File.WriteAllLines(path, lines.Prepend("file,label"));
        return DataListing.Open(path);
    }

    private static (int[] Calibration, int[] Test) Cut(int count, int seed)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new Random(seed).Shuffle(order);
        return (order[..CalibrationCount], order[CalibrationCount..]);
    }

    private static Dictionary<SplitPart, IReadOnlyDictionary<string, Digest>> Parts(DataListing data, int[] calibration, int[] test)
    {
        Dictionary<string, Digest> Digests(IEnumerable<int> images) => images.ToDictionary(i => data.Samples[i].Name, i => data.Samples[i].Content()!.Value);
        return new()
        {
            [SplitPart.Train] = Digests([]), [SplitPart.Calibration] = Digests(calibration), [SplitPart.Search] = Digests(test), [SplitPart.HeldOut] = Digests([]),
        };
    }

    private static List<bool> RightAnswers(MobileNet material, string model, IEnumerable<int> images)
    {
        var graph = ModelFile.Load(model);
        var input = ModelInput.Of(graph, given: null);
        var answers = Scores.Of(graph, input, material.Photographs.Tensors(MobileNet.Input, images), CancellationToken.None).Best;
        return [.. answers.Zip(images, (answer, image) => answer == material.Photographs.Label(image))];
    }
}
